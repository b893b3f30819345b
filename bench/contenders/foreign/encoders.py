"""Third-party embedding libraries, in an environment of their own: nothing of ours is imported here.

BENCH_SHARED names a file of texts, weights, and vectors that theirs must agree with. The job comes on standard input.
"""

import json
import os
import resource
import shutil
import sys
import time
import warnings
from pathlib import Path

import numpy as np

_SAME = 0.99
_GPU_BATCH = 256
warnings.filterwarnings("ignore")


class SkippedError(Exception):
    """The reason why a contender can't run here."""


def sentence_transformers(shared, *, device="cpu", **arguments):
    """sentence-transformers with its defaults: float32, batches of 32 sorted by length."""
    import torch
    from sentence_transformers import SentenceTransformer, models

    torch.set_num_threads(shared["threads"])
    word = models.Transformer(shared["weights"], max_seq_length=shared["max_length"], **arguments)
    pooling = models.Pooling(word.get_word_embedding_dimension())
    return SentenceTransformer(modules=[word, pooling, models.Normalize()], device=device)


def fastembed(shared):
    """Runs fastembed's own batching and session, on the graph that sentence-transformers exports."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    folder = _exported(shared)
    TextEmbedding.add_custom_model(
        model="bench/minilm",
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf="bench/minilm"),
        dim=len(shared["vectors"][0]),
        model_file="onnx/model.onnx",
    )
    return TextEmbedding("bench/minilm", specific_model_path=str(folder), threads=shared["threads"])


def _exported(shared):
    """Write the graph into a folder as fastembed expects it, once."""
    folder, weights = Path(os.environ["BENCH_SHARED"]).parent / "exported", Path(shared["weights"])
    if folder.exists():
        return folder
    draft = folder.with_name("exported.draft")
    draft.mkdir()
    model = sentence_transformers(shared, backend="onnx")
    model[0].auto_model.save_pretrained(draft)
    (draft / "onnx").mkdir(exist_ok=True)
    for graph in draft.glob("*.onnx"):
        graph.rename(draft / "onnx" / "model.onnx")
    shutil.copy(weights / "tokenizer.json", draft)
    configuration = json.loads((weights / "config.json").read_text()) | {"pad_token_id": 0}
    limit = {"model_max_length": shared["max_length"], "pad_token": "[PAD]"}
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    for name, content in (
        ("config.json", configuration),
        ("tokenizer_config.json", limit),
        ("special_tokens_map.json", special),
    ):
        (draft / name).write_text(json.dumps(content))
    draft.rename(folder)
    return folder


def _on_a_gpu(shared):
    """sentence-transformers on a GPU, as its documentation recommends for speed."""
    import torch

    if not torch.cuda.is_available():
        raise SkippedError("there is no GPU that torch can use")
    model = sentence_transformers(shared, device="cuda").half()
    return lambda texts: model.encode(texts, batch_size=_GPU_BATCH)


def _fastembed(**arguments):
    def make(shared):
        theirs = fastembed(shared)
        return lambda texts: np.array(list(theirs.embed(texts, **arguments)))

    return make


CONTENDERS = {
    "sentence-transformers, torch": lambda shared: sentence_transformers(shared).encode,
    "sentence-transformers, ONNX": lambda shared: sentence_transformers(shared, backend="onnx").encode,
    "sentence-transformers, fp16 on the GPU": _on_a_gpu,
    "fastembed": _fastembed(),
    "fastembed, batch 32": _fastembed(batch_size=32),
    "fastembed, one by one": _fastembed(batch_size=1),
}


def count_tokens(shared, texts):
    """Count tokens as the model reads them."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(shared["weights"]) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(shared["max_length"])
    return sum(len(encoding.ids) for encoding in tokenizer.encode_batch(texts))


def answer(run):
    """Read the job, run it, and print the result; the libraries' own output goes to standard error."""
    job = json.load(sys.stdin)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    shared = json.loads(Path(os.environ["BENCH_SHARED"]).read_text())
    try:
        row = run(job, shared)
    except SkippedError as reason:
        row = str(reason)
    else:
        row["rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    out.write(json.dumps(row) + "\n")


def require_same(embed, shared):
    """Stop if the contender's vectors differ from ours."""
    expected = np.array(shared["vectors"])
    cosine = float((embed(shared["texts"][: len(expected)]) * expected).sum(1).mean())
    if cosine < _SAME:
        raise SkippedError(f"its vectors differ from ours (mean cosine {cosine:.3f})")


def _embed(job, shared):
    embed, texts = CONTENDERS[job["contender"]](shared), shared["texts"]
    require_same(embed, shared)
    cpu, began = time.process_time(), time.perf_counter()
    embed(texts)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    tokens = count_tokens(shared, texts)
    return {"tickets": job["tickets"], "texts": len(texts), "tokens": tokens, "seconds": seconds, "cpu_seconds": cpu}


if __name__ == "__main__":
    answer(_embed)
