"""Measures our encoder, and our graph with simpler ways of batching.

All contenders embed the same texts with the same weights, truncation and number of threads, and without a cache.
"""

import os
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from bench.corpus import texts
from bench.job import Clock, Job, Measured, Skipped, answer
from core.environment import load_settings
from models.device import Device, why_no_gpu
from models.open import ensure_model
from models.precision import Precision, choose_precision
from models.recipe import DISABLED_OPTIMIZERS, EMBEDDING, IDS, MASK
from models.run.encoder import OnnxEmbedder, open_onnx_embedder
from models.run.tokenise import load_tokenizer

#: Texts per call of our encoder, as in the pipeline under a backlog.
_WINDOW: Final = 512
_GPU_WINDOW: Final = 8192
_WARM: Final = 64


class Tokens:
    """Counts the tokens that the model processes."""

    count = 0

    def add(self, tokens: int, _padding: int, _seconds: float) -> None:
        """See `models.run.encoder.OnBatch`."""
        self.count += tokens


def load(precision: Precision, tokens: Tokens | None = None, device: Device = "cpu") -> OnnxEmbedder:
    """Our encoder, without a cache."""
    settings = load_settings().model.model_copy(update={"precision": precision})
    model = ensure_model(settings)
    if model is None:
        raise Skipped("TICKETS_MODEL__NAME names a model without weights")
    on_batch = None if tokens is None else tokens.add
    return open_onnx_embedder(model.artefact, model.tokenizer, device=device, tuning=None, on_batch=on_batch)


def _ours(precision: Precision, device: Device = "cpu", window: int = _WINDOW) -> Callable[[Job], Measured]:
    def run(job: Job) -> Measured:
        tokens, clock = Tokens(), Clock()
        embedder = load(precision, tokens, device)
        found = texts(job.corpus, job.tickets, embedder)
        embedder.embed(found[:_WARM])
        tokens.count = 0
        with clock.measure():
            for start in range(0, len(found), window):
                embedder.embed(found[start : start + window])
        return clock.measured(tickets=job.tickets, texts=len(found), tokens=tokens.count)

    return run


def _plain(precision: Precision, batch: int) -> Callable[[Job], Measured]:
    """Our graph in one session over all cores: batches of `batch` texts in input order, padded to the longest."""

    def run(job: Job) -> Measured:
        settings = load_settings().model.model_copy(update={"precision": precision})
        model = ensure_model(settings)
        if model is None:
            raise Skipped("TICKETS_MODEL__NAME names a model without weights")
        found = texts(job.corpus, job.tickets, load(precision))
        tokenizer = load_tokenizer(model.tokenizer, max_length=model.artefact.manifest.max_length)
        options = ort.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        session = ort.InferenceSession(
            model.artefact.graph,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=list(DISABLED_OPTIMIZERS),
        )
        clock = Clock()
        _padded(session, tokenizer, found[:batch])
        with clock.measure():
            tokens = sum(
                _padded(session, tokenizer, found[start : start + batch]) for start in range(0, len(found), batch)
            )
        return clock.measured(tickets=job.tickets, texts=len(found), tokens=tokens)

    return run


def _padded(session: ort.InferenceSession, tokenizer: Tokenizer, batch: Sequence[str]) -> int:
    ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(batch))]
    lengths = np.array([len(i) for i in ids])
    mask = np.arange(lengths.max())[:, None] < lengths
    padded = np.zeros(mask.shape, np.int32)
    padded.T[mask.T] = np.concatenate(ids)
    session.run([EMBEDDING], {IDS: padded, MASK: mask.astype(np.int32)})
    return int(lengths.sum())


def _on_a_gpu(precision: Precision) -> Callable[[Job], Measured]:
    def run(job: Job) -> Measured:
        reason = why_no_gpu()
        if reason is not None:
            raise Skipped(reason)
        return _ours(precision, "cuda", _GPU_WINDOW)(job)

    return run


CONTENDERS: Final = {
    "ours, fp16 on the GPU": _on_a_gpu("fp16"),
    "ours, fp32 on the GPU": _on_a_gpu("fp32"),
    "ours, on the CPU beside it": _ours(choose_precision("auto", "cpu")),
    "ours, int8": _ours("int8"),
    "ours, fp32": _ours("fp32"),
    "our int8 graph, one by one": _plain("int8", 1),
    "our fp32 graph, one by one": _plain("fp32", 1),
    "our fp32 graph, batches of 32, unsorted": _plain("fp32", 32),
    "our fp32 graph, batches of 256, unsorted": _plain("fp32", 256),
}

if __name__ == "__main__":
    answer(CONTENDERS)
