"""Weights to a graph, in the precision asked for."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec import Struct

from core.records import Vector
from models.bert import BertShape, Tensors, read_shape, read_tensors
from models.calibrate import calibrate, calibration_hash, calibration_texts, find_calibration
from models.catalogue import CONFIG, TOKENIZER, WEIGHTS, ModelCard
from models.fused import build_fused_graph
from models.graph import FloatLinears, Linears, build_graph
from models.precision import Precision
from models.quantise import StaticInt8Linears
from models.session import CpuSession
from models.tokenise import load_tokenizer

#: Every so many of the calibration texts is a canary.
_CANARY_STEP: Final = 20


class Built(Struct, frozen=True, eq=False):
    """A serialised graph and what its manifest says of it."""

    graph: bytes
    dimension: int
    calibration: str | None
    cosine: float


def build(card: ModelCard, weights: Path, precision: Precision) -> Built:
    """Build from the verified files in `weights`.

    Raises:
        ConfigError: they are of no encoder that we can build.
    """
    shape, tensors = read_shape(weights / CONFIG), read_tensors(weights / WEIGHTS)
    exact = _graph(card, shape, tensors, FloatLinears())
    if precision == "fp32":
        return Built(exact, shape.hidden, None, 1.0)
    if precision == "fp16":
        half = build_fused_graph(shape, tensors, pooling=card.pooling, max_length=card.max_length)
        return Built(half, shape.hidden, None, _cosine(card, exact, half, weights / TOKENIZER))
    ranges = find_calibration(card) or calibrate(card, shape, tensors, weights / TOKENIZER)
    graph = _graph(card, shape, tensors, StaticInt8Linears(ranges))
    cosine = _cosine(card, exact, graph, weights / TOKENIZER)
    return Built(graph, shape.hidden, calibration_hash(ranges), cosine)


def _graph(card: ModelCard, shape: BertShape, tensors: Tensors, linears: Linears) -> bytes:
    return build_graph(shape, tensors, pooling=card.pooling, max_length=card.max_length, linears=linears)


def _cosine(card: ModelCard, one: bytes, other: bytes, tokenizer: Path) -> float:
    texts = calibration_texts()[::_CANARY_STEP]
    cutting = load_tokenizer(tokenizer, max_length=card.max_length)
    ids = [np.array(encoding.ids, np.int32)[:, None] for encoding in cutting.encode_batch(texts)]
    first, second = _vectors(one, ids), _vectors(other, ids)
    return round(float((first * second).sum(1).mean()), 3)


def _vectors(graph: bytes, ids: list[Any]) -> Vector:
    session = CpuSession(graph)
    return np.concatenate([session.run(i, np.ones_like(i)) for i in ids])
