"""The libraries one would otherwise pick, in an environment of their own: nothing of ours is imported here.

BENCH_TEXTS names a file of texts, weights, and vectors that theirs must agree with. The job comes on standard input.
"""

import json
import os
import resource
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

_SAME = 0.99
warnings.filterwarnings("ignore")


def sentence_transformers(shared):
    """Its default: float32, batches of 32 sorted by length."""
    import torch
    from sentence_transformers import SentenceTransformer, models

    torch.set_num_threads(shared["threads"])
    word = models.Transformer(shared["weights"], max_seq_length=shared["max_length"])
    return SentenceTransformer(modules=[word, models.Pooling(384), models.Normalize()], device="cpu").encode


def _fastembed(shared, **arguments):
    """Its own batching and session over our float32 graph, as its own graph is on the hub alone."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    folder, weights = Path(tempfile.mkdtemp()), Path(shared["weights"])
    shutil.copy(weights / "tokenizer.json", folder)
    configuration = json.loads((weights / "config.json").read_text()) | {"pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(configuration))
    limit = {"model_max_length": shared["max_length"], "pad_token": "[PAD]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(limit))
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    _batch_major(shared["graph"], folder / "model.onnx")
    TextEmbedding.add_custom_model(
        model="bench/minilm",
        pooling=PoolingType.DISABLED,  # the graph pools
        normalization=False,
        sources=ModelSource(hf="bench/minilm"),
        dim=384,
        model_file="model.onnx",
    )
    theirs = TextEmbedding("bench/minilm", specific_model_path=str(folder), threads=shared["threads"])
    return lambda texts: np.array(list(theirs.embed(texts, **arguments)))


def _batch_major(graph, to):
    """Our graph takes int32[S, B]; theirs is given int64[B, S]."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(graph)
    before = []
    for name in ("input_ids", "attention_mask"):
        for node in model.graph.node:
            node.input[:] = [f"{name}.turned" if given == name else given for given in node.input]
        before.append(helper.make_node("Transpose", [name], [f"{name}.wide"], perm=[1, 0]))
        before.append(helper.make_node("Cast", [f"{name}.wide"], [f"{name}.turned"], to=TensorProto.INT32))
    nodes = [*before, *model.graph.node]
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend(nodes)
    model.graph.input.extend(
        helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "S"]) for name in ("input_ids", "attention_mask")
    )
    onnx.save(model, to)


CONTENDERS = {
    "sentence-transformers, torch": sentence_transformers,
    "fastembed": _fastembed,
    "fastembed, batch 32": lambda shared: _fastembed(shared, batch_size=32),
    "fastembed, one by one": lambda shared: _fastembed(shared, batch_size=1),
}


def main():
    """Run the job; what the libraries print goes to standard error."""
    job = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    shared = json.loads(Path(os.environ["BENCH_TEXTS"]).read_text())
    embed, expected = CONTENDERS[job["contender"]](shared), np.array(shared["vectors"])
    texts = shared["texts"]
    cosine = float((embed(texts[: len(expected)]) * expected).sum(1).mean())
    if cosine < _SAME:  # a contender that embeds something else is none
        answer.write(json.dumps({"skipped": f"its vectors are not ours (mean cosine {cosine:.3f})"}) + "\n")
        return
    cpu, began = time.process_time(), time.perf_counter()
    embed(texts)
    seconds = time.perf_counter() - began
    row = {
        "tickets": job["tickets"],
        "texts": len(texts),
        "tokens": 0,
        "seconds": round(seconds, 4),
        "cpu_seconds": round(time.process_time() - cpu, 4),
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    answer.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
