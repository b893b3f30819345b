"""Measures labels on unseen tickets: the nearest examples, and a label model."""

import csv
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, cast

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bench.job import Clock, Job, Measured, Skipped, answer
from core.contract import record_key
from core.environment import load_settings
from core.records import Example, LabelKind, Origin, Record, SparseVector, Vector
from maintenance.training import embed_labelled
from models.labels.fit import fit_head
from models.labels.linear import NEVER, Calibration, LabelModel, LinearHead
from models.labels.report import calibration_error, judge
from models.labels.thresholds import Flags
from models.labels.words import Floats, WordWeights, vocabulary_of
from models.open import load_embedder
from operators.neighbours import Examples

_DATA: Final = Path("../shared/data")
_PRECISION: Final = 0.95
_TIME_MS: Final = 1_700_000_000_000
#: Confidence that the nearest examples need by default.
_TODAY: Final = 0.6
_FEW: Final = (30, 10, 5)
_WORDS: Final = 5
_RESAMPLES: Final = 2_000


class Labelled(Struct, frozen=True, eq=False):
    """Vectors, terms and labels for fitting, and others for judging."""

    fit: tuple[Vector, list[SparseVector | None], list[str]]
    judge: tuple[Vector, list[SparseVector | None], list[str]]


class Outcome(Struct, frozen=True, eq=False):
    """The prediction for each judged ticket: right or not, its confidence, and whether it was sure enough."""

    right: Flags
    confidence: Floats
    given: Flags


def _banking77() -> tuple[list[Record], list[Record], LabelKind]:
    rows = {split: _rows(_DATA / "banking77" / f"{split}.csv") for split in ("train", "test")}
    return [*_records(rows["train"], "text")], [*_records(rows["test"], "text")], "category"


def _few_of_banking77(few: int) -> tuple[list[Record], list[Record], LabelKind]:
    """The first queries of each intent."""
    taken: dict[str, int] = {}
    rows = []
    for row in _rows(_DATA / "banking77" / "train.csv"):
        taken[row["category"]] = taken.get(row["category"], 0) + 1
        if taken[row["category"]] <= few:
            rows.append(row)
    return [*_records(rows, "text")], _banking77()[1], "category"


def _short_of_banking77() -> tuple[list[Record], list[Record], LabelKind]:
    """The first words of each query, which often leave out what it is about: half of the likeliest labels are wrong."""
    splits = [_rows(_DATA / "banking77" / f"{split}.csv") for split in ("train", "test")]
    short = [[{**row, "text": " ".join(row["text"].split()[:_WORDS])} for row in rows] for rows in splits]
    return [*_records(short[0], "text")], [*_records(short[1], "text")], "category"


def _hadoop() -> tuple[list[Record], list[Record], LabelKind]:
    """The older seven tenths are for fitting, the newer ones for judging."""
    rows = sorted(_rows(_DATA / "hadoop" / "tickets.csv"), key=lambda row: int(row["id"]))
    records = list(_records(rows, "body"))
    return records[: len(rows) * 7 // 10], records[len(rows) * 7 // 10 :], "priority"


_SETS: Final[Mapping[str, Callable[[], tuple[list[Record], list[Record], LabelKind]]]] = {
    "banking77": _banking77,
    **{f"banking77, {few} a label": partial(_few_of_banking77, few) for few in _FEW},
    f"banking77, first {_WORDS} words": _short_of_banking77,
    "hadoop": _hadoop,
}


def _neighbours_today(data: Labelled) -> Outcome:
    return _neighbours(data, lambda _examples: _TODAY)


def _neighbours_tuned(data: Labelled) -> Outcome:
    """With the lowest threshold for all labels that has the precision on the examples, by leave-one-out."""

    def threshold(examples: Examples) -> float:
        vectors, _terms, labels = data.fit
        right, confidence = _nearest(examples, vectors, labels, leave_out=True)
        order = np.argsort(-confidence, kind="stable")
        enough = np.flatnonzero(np.cumsum(right[order]) >= _PRECISION * np.arange(1, len(order) + 1))
        return float(confidence[order[enough[-1]]]) if len(enough) else NEVER

    return _neighbours(data, threshold)


def _neighbours(data: Labelled, threshold: Callable[[Examples], float]) -> Outcome:
    vectors, _terms, labels = data.fit
    examples = Examples(vectors, [Example("", label) for label in labels], min_confidence=0)
    least = threshold(examples)
    right, confidence = _nearest(examples, data.judge[0], data.judge[2])
    return Outcome(right, confidence, confidence >= least)


def _nearest(
    examples: Examples, vectors: Vector, labels: Sequence[str], *, leave_out: bool = False
) -> tuple[Flags, Floats]:
    right, confidence = np.zeros(len(labels), np.bool_), np.zeros(len(labels))
    for at, (vector, label) in enumerate(zip(vectors, labels, strict=True)):
        similarities = examples.similarities(vector)
        if leave_out:
            similarities[at] = -1
        found = examples.nearest(similarities, "category")
        if found is not None:
            right[at], confidence[at] = found.value == label, found.confidence
    return right, confidence


def _label_model(data: Labelled) -> Outcome:
    fitted = fit_head(*data.fit, precision=_PRECISION, on_fit=lambda _n, _of: None)
    found = judge(fitted.head, *data.judge)
    return Outcome(found.right, found.confidence, found.confidence >= fitted.head.thresholds[found.predicted])


_HOW: Final = {
    "five neighbours, as before": _neighbours_today,
    "five neighbours, tuned": _neighbours_tuned,
    "label model": _label_model,
}


def _contender(of: str, how: str) -> Callable[[Job], Measured]:
    def run(_job: Job) -> Measured:
        data, clock = _embedded(of), Clock()
        with clock.measure():
            outcome = _HOW[how](data)
        measured = clock.measured(tickets=len(data.judge[2]))
        given, right = outcome.given, outcome.right
        figures = {
            "labels": len({*data.fit[2]}),
            "fitted": len(data.fit[2]),
            "accuracy": right.mean(),
            "ece": calibration_error(outcome.confidence, right),
            **_with_interval("coverage", given),
            **_with_interval("precision", right[given]),
            "seconds": clock.cpu_seconds,
            "us": _microseconds(data) if how == "label model" else 0.0,
        }
        return msgspec.structs.replace(measured, figures={name: round(float(f), 4) for name, f in figures.items()})

    return run


def _microseconds(data: Labelled) -> float:
    """Microseconds to label one ticket by a model of this size, without making its terms."""
    vectors, terms, labels = data.judge
    names = tuple(sorted({*data.fit[2]}))
    rng = np.random.default_rng(1)
    weights, zeros = rng.standard_normal((vectors.shape[1], len(names))), np.zeros(len(names))
    vocabulary = vocabulary_of([found for found in data.fit[1] if found is not None])
    words = WordWeights(vocabulary, rng.standard_normal((len(vocabulary.terms), len(names))))
    head = LinearHead(names, weights, zeros, Calibration(), zeros, words)
    model = LabelModel({"category": head}, stamp="")
    began = time.process_time()
    for vector, found in zip(vectors, terms, strict=True):
        model.labels(vector, found, ["category"])
    return (time.process_time() - began) / len(labels) * 1e6


def _with_interval(name: str, flags: Flags) -> dict[str, float]:
    """The share of true flags, and the ends of its 95 % bootstrap interval; nothing if there are no flags."""
    if not len(flags):
        return {}
    share = float(flags.mean())
    shares = np.random.default_rng(1).binomial(len(flags), share, _RESAMPLES) / len(flags)
    low, high = np.percentile(shares, (2.5, 97.5))
    return {name: share, f"{name} low": float(low), f"{name} high": float(high)}


def _embedded(of: str) -> Labelled:
    """The set's vectors, which the first contender embeds for the others of the run."""
    settings = load_settings()
    kept = settings.index.path.parent / f"{of}.npz"
    if not kept.exists():
        embedder = load_embedder(settings.model)
        fit, others, kind = _SETS[of]()
        found: dict[str, NDArray[np.generic]] = {}
        for name, records in (("fit", fit), ("judge", others)):
            vectors, terms, labels = embed_labelled(records, settings, embedder, most=len(records)).of_kind(kind)
            spoken = [one for one in terms if one is not None]
            found |= {
                f"{name} vectors": vectors,
                f"{name} labels": np.array(labels),
                f"{name} terms": np.concatenate([one.indices for one in spoken]),
                f"{name} weights": np.concatenate([one.values for one in spoken]),
                f"{name} lengths": np.array([len(one.indices) for one in spoken]),
            }
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **found)  # type: ignore[arg-type]
    loaded = np.load(kept)
    return Labelled(_part(loaded, "fit"), _part(loaded, "judge"))


def _part(loaded: Mapping[str, NDArray[np.generic]], name: str) -> tuple[Vector, list[SparseVector | None], list[str]]:
    ends = np.cumsum(loaded[f"{name} lengths"])[:-1]
    terms, weights = (np.split(loaded[f"{name} {what}"], ends) for what in ("terms", "weights"))
    spoken: list[SparseVector | None] = [SparseVector(*one) for one in zip(terms, weights, strict=True)]
    return cast("Vector", loaded[f"{name} vectors"]), spoken, loaded[f"{name} labels"].tolist()


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        raise Skipped(f"there is no {file}")
    with file.open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def _records(rows: Sequence[dict[str, str]], body: str) -> Iterator[Record]:
    for number, row in enumerate(rows):
        event = {
            "op": "upsert",
            "tenant_id": "bench",
            "ticket_id": str(number),
            "version": 1,
            "created_at": _TIME_MS,
            "updated_at": _TIME_MS,
            "subject": row.get("subject", ""),
            "body": row[body],
            "category": row.get("category") or None,
            "priority": row.get("priority") or None,
        }
        yield Record(Origin("bench", 0, number), record_key("bench", str(number)), msgspec.json.encode(event), _TIME_MS)


CONTENDERS: Final = {f"{of}: {how}": _contender(of, how) for of in _SETS for how in _HOW}

if __name__ == "__main__":
    answer(CONTENDERS)
