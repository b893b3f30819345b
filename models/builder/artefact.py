"""Builds a model's artefact from its weights, in the precision asked for. Slow to import, and needed once a machine."""

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec import Struct

from core.records import Vector
from models.builder.bert import BertShape, Tensors, read_shape, read_tensors
from models.builder.calibrate import calibrate, calibration_hash, calibration_texts, find_calibration
from models.builder.fused import build_fused_graph
from models.builder.graph import FloatLinears, Linears, build_graph
from models.builder.quantise import StaticInt8Linears
from models.precision import Precision
from models.recipe import RECIPE_VERSION
from models.run.session import open_cpu_session
from models.run.tokenise import load_tokenizer
from models.store.artefact import Artefact, Manifest, find_artefact, save_artefact
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS, ModelCard
from models.store.files import ProgressCallback, no_progress, one_at_a_time

#: Every so many of the calibration texts is a canary.
_CANARY_STEP: Final = 20


class Built(Struct, frozen=True, eq=False):
    """A serialised graph and what its manifest says of it."""

    graph: bytes
    dimension: int
    calibration: str | None
    cosine: float


def find_or_build_artefact(
    card: ModelCard, weights: Path, folder: Path, *, precision: Precision, progress: ProgressCallback = no_progress
) -> Artefact:
    """The artefact in `folder`; built from the verified files in `weights` when it isn't there.

    Raises:
        ConfigError: the graph is damaged, the weights are of no encoder we can build, or the folder can't be written.
    """
    found = find_artefact(card, precision, folder)
    if found is not None:
        return found
    with one_at_a_time(folder):
        return find_artefact(card, precision, folder) or _build_artefact(card, weights, folder, precision, progress)


def _build_artefact(
    card: ModelCard, weights: Path, folder: Path, precision: Precision, progress: ProgressCallback
) -> Artefact:
    label = f"building {card.name} {precision}"
    progress(label, 0, None)
    built = build(card, weights, precision)
    manifest = Manifest(
        model=card.name,
        weights=card.files[WEIGHTS],
        tokenizer=card.files[TOKENIZER],
        recipe=RECIPE_VERSION,
        precision=precision,
        pooling=card.pooling,
        dimension=built.dimension,
        max_length=card.max_length,
        calibration=built.calibration,
        graph=hashlib.sha256(built.graph).hexdigest(),
        cosine=built.cosine,
        query_prefix=card.query_prefix,
        passage_prefix=card.passage_prefix,
    )
    artefact = save_artefact(folder, manifest, built.graph)
    progress(label, len(built.graph), len(built.graph))
    return artefact


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
    session = open_cpu_session(graph)
    return np.concatenate([session.run(i, np.ones_like(i)) for i in ids])
