"""Builds a model's artefact from its weights, in a given precision. Slow to import, and used once per machine."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import Struct

from core.records import Vector
from models.builder.bert import BertShape, Tensors, read_shape, read_tensors
from models.builder.calibrate import calibrate, calibration_hash, calibration_texts, find_calibration
from models.builder.fused import build_fused_graph
from models.builder.graph import Arithmetic, FloatArithmetic, build_graph
from models.builder.quantise import StaticInt8Arithmetic
from models.precision import Precision
from models.recipe import RECIPE_VERSION
from models.run.session import Ids, open_cpu_session
from models.run.tokenise import load_tokenizer
from models.store.artefact import Artefact, Manifest, find_artefact, save_artefact
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS, ModelCard
from models.store.files import ProgressCallback, folder_lock, no_progress

#: Every 20th calibration text is used to compare a graph with the fp32 one.
_COMPARED: Final = 20


class Built(Struct, frozen=True, eq=False):
    """A serialised graph and the values of its manifest."""

    graph: bytes
    dimension: int
    calibration: str | None
    cosine: float


def find_or_build_artefact(
    card: ModelCard, weights: Path, folder: Path, *, precision: Precision, progress: ProgressCallback = no_progress
) -> Artefact:
    """The artefact in `folder`, built from the verified files in `weights` if it is missing.

    Raises:
        ConfigError: the graph is damaged, the encoder is not supported, or the folder is not writable.
    """
    found = find_artefact(card, precision, folder)
    if found is not None:
        return found
    with folder_lock(folder):
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
    """Build the graph from the verified files in `weights`.

    Raises:
        ConfigError: the files are not those of a supported encoder.
    """
    shape, tensors = read_shape(weights / CONFIG), read_tensors(weights / WEIGHTS)
    exact = _graph(card, shape, tensors, FloatArithmetic())
    if precision == "fp32":
        return Built(exact, shape.hidden, None, 1.0)
    if precision == "fp16":
        half = build_fused_graph(shape, tensors, pooling=card.pooling, max_length=card.max_length)
        return Built(half, shape.hidden, None, _cosine(card, exact, half, weights / TOKENIZER))
    ranges = find_calibration(card) or calibrate(card, shape, tensors, weights / TOKENIZER)
    graph = _graph(card, shape, tensors, StaticInt8Arithmetic(ranges))
    cosine = _cosine(card, exact, graph, weights / TOKENIZER)
    return Built(graph, shape.hidden, calibration_hash(ranges), cosine)


def _graph(card: ModelCard, shape: BertShape, tensors: Tensors, arithmetic: Arithmetic) -> bytes:
    return build_graph(shape, tensors, pooling=card.pooling, max_length=card.max_length, arithmetic=arithmetic)


def _cosine(card: ModelCard, one: bytes, other: bytes, tokenizer: Path) -> float:
    """Mean cosine of the two graphs' vectors, to three decimals."""
    texts = calibration_texts()[::_COMPARED]
    encodings = load_tokenizer(tokenizer, max_length=card.max_length).encode_batch(texts)
    ids = [np.array(encoding.ids, np.int32)[:, None] for encoding in encodings]
    first, second = _vectors(one, ids), _vectors(other, ids)
    return round(float((first * second).sum(1).mean()), 3)


def _vectors(graph: bytes, ids: Sequence[Ids]) -> Vector:
    session = open_cpu_session(graph)
    return np.concatenate([session.run(i, np.ones_like(i)) for i in ids])
