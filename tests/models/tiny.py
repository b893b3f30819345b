"""A tiny BERT with random weights, its tokenizer, and the same network in plain numpy."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from models.store.cards import CONFIG, TOKENIZER, WEIGHTS, ModelCard
from models.store.files import sha256_of

Array = NDArray[np.float32]

HIDDEN, LAYERS, HEADS, WIDE, POSITIONS = 32, 3, 4, 48, 40
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
_WORDS = [*"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"), "card", "lost", "the", "."]


def make(folder: Path, *, pooling: Any = "mean", seed: int = 3) -> ModelCard:
    """Write config, weights and tokenizer into `folder`; returns their card."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {word: n for n, word in enumerate([*_SPECIAL, *_WORDS])}
    config = {
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": WIDE,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "vocab_size": len(vocabulary),
    }
    (folder / CONFIG).write_text(json.dumps(config))
    save_file(_weights(len(vocabulary), seed), folder / WEIGHTS)
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(length=16)  # as in shipped files; the encoder must ignore it
    tokenizer.enable_truncation(16)
    tokenizer.save(str(folder / TOKENIZER))
    files = {name: sha256_of(folder / name) for name in (CONFIG, WEIGHTS, TOKENIZER)}
    return ModelCard("tiny", "example/tiny", files, pooling, max_length=24)


def reference(folder: Path, ids: list[int], pooling: str) -> Array:
    """float32[hidden] of one text, as Devlin et al. 2018 describe the network, in float64 throughout."""

    w = {name: tensor.astype(np.float64) for name, tensor in load_file(folder / WEIGHTS).items()}

    def dense(x: Any, name: str) -> Any:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: Any, name: str) -> Any:
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][: len(ids)] + w["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        p = f"encoder.layer.{layer}"
        q, k, v = (
            dense(x, f"{p}.attention.self.{part}").reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(HIDDEN / HEADS)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(len(ids), HIDDEN)
        x = norm(x + dense(mixed, f"{p}.attention.output.dense"), f"{p}.attention.output.LayerNorm")
        raised = dense(x, f"{p}.intermediate.dense")
        active = raised * 0.5 * (1 + np.vectorize(math.erf)(raised / np.sqrt(2)))
        x = norm(x + dense(active, f"{p}.output.dense"), f"{p}.output.LayerNorm")
    pooled = x[0] if pooling == "cls" else x.mean(0)
    return (pooled / np.linalg.norm(pooled)).astype(np.float32)  # type: ignore[no-any-return]


def _weights(words: int, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)

    def random(*shape: int) -> Array:
        return (rng.standard_normal(shape) * 0.3).astype(np.float32)

    w = {
        "embeddings.word_embeddings.weight": random(words, HIDDEN),
        "embeddings.position_embeddings.weight": random(POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": random(2, HIDDEN),
    }

    def linear(name: str, out: int, into: int) -> None:
        w[f"{name}.weight"], w[f"{name}.bias"] = random(out, into), random(out)

    def norm(name: str) -> None:
        w[f"{name}.weight"], w[f"{name}.bias"] = 1 + random(HIDDEN), random(HIDDEN)

    norm("embeddings.LayerNorm")
    for layer in range(LAYERS):
        p = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            linear(f"{p}.attention.self.{part}", HIDDEN, HIDDEN)
        linear(f"{p}.attention.output.dense", HIDDEN, HIDDEN)
        norm(f"{p}.attention.output.LayerNorm")
        linear(f"{p}.intermediate.dense", WIDE, HIDDEN)
        linear(f"{p}.output.dense", HIDDEN, WIDE)
        norm(f"{p}.output.LayerNorm")
    return w
