"""Recall and precision of redaction on generated texts, per kind, script and form, printed in every run."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from operators.pii import finance, view
from operators.pii.detector import Detector, Kind, Span
from operators.pii.find import DETECTORS, find_pii
from synthetic.pii.disguised import disguised
from synthetic.pii.everyday import everyday
from synthetic.pii.labelled import Labelled
from synthetic.pii.multilingual import lookalikes, multilingual
from synthetic.pii.plain import labelled_texts

RECALL = 0.99
RECALL_OF_DISGUISED = 0.90
PRECISION = 0.97
PLAIN = list(labelled_texts(4_000, seed=11))
MULTILINGUAL = list(multilingual(4_400, seed=11))
EVERYDAY = list(everyday(3_600, seed=11))
DISGUISED = list(disguised(3_600, seed=11))
LOOKALIKES = list(lookalikes(3_000, seed=11))
KINDS = {"EMAIL", "PHONE", "CARD", "IBAN", "NATIONAL_ID", "IP", "CREDENTIALS", "SECRET"}

Group = Callable[[Labelled], str]


class _Score:
    """Counts of one kind: planted values, found ones, reported spans, correct ones."""

    def __init__(self) -> None:
        self.planted = self.found = self.reported = self.correct = 0

    @property
    def recall(self) -> float:
        return self.found / max(1, self.planted)

    @property
    def precision(self) -> float:
        return self.correct / max(1, self.reported)


def _scores(
    texts: Iterable[Labelled], group: Group = lambda _: "", detectors: tuple[Detector, ...] = DETECTORS
) -> dict[tuple[str, str], _Score]:
    """Scores per kind and group. A span with more than one character of text on either side of the value is wrong."""
    scores: dict[tuple[str, str], _Score] = defaultdict(_Score)
    for labelled in texts:
        found = find_pii(labelled.text, detectors)
        for start, end, kind in labelled.spans:
            score = scores[kind, group(labelled)]
            score.planted += 1
            score.found += _covers([span for span in found if span.kind == kind], labelled.text, start, end)
        for span in found:
            score = scores[span.kind, group(labelled)]
            score.reported += 1
            score.correct += any(_agrees(span, spot) for spot in labelled.spans)
    return scores


def _covers(found: list[Span], text: str, start: int, end: int) -> bool:
    """Whether every letter and digit of the value is redacted."""
    return all(any(span.start <= at < span.end for span in found) for at in range(start, end) if text[at].isalnum())


def _agrees(span: Span, spot: tuple[int, int, str]) -> bool:
    start, end, kind = spot
    return span.kind == kind and start - 1 <= span.start and span.end <= end + 1


def _print(capsys: pytest.CaptureFixture[str], title: str, scores: dict[tuple[str, str], _Score]) -> None:
    with capsys.disabled():
        print(f"\n{title:42} {'recall':>8} {'precision':>10} {'planted':>8}")
        for (kind, group), score in sorted(scores.items()):
            print(f"  {kind:12} {group:27} {score.recall:8.4f} {score.precision:10.4f} {score.planted:8}")


def test_recall_and_precision_per_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """In plain sentences at least 99 % of the values of each kind are found, and 97 % of the findings are correct."""
    scores = _scores(PLAIN)
    _print(capsys, "plain sentences", scores)
    assert {kind for kind, _ in scores} == KINDS
    for key, score in scores.items():
        assert score.planted >= 300, key
        assert score.recall >= RECALL, key
        assert score.precision >= PRECISION, key


def test_recall_and_precision_per_script(capsys: pytest.CaptureFixture[str]) -> None:
    """The same holds in 22 languages and 10 scripts, and for values next to words of scripts without spaces."""
    scores = _scores(MULTILINGUAL, lambda labelled: labelled.script)
    _print(capsys, "languages, by script", scores)
    assert len({script for _, script in scores}) == 10
    for key, score in scores.items():
        assert score.recall >= RECALL, key
        assert score.precision >= PRECISION, key


def test_recall_of_everyday_forms(capsys: pytest.CaptureFixture[str]) -> None:
    """The same holds for values with neighbours, separators and line breaks, in tables, JSON and national forms."""
    _print(capsys, "everyday forms", _scores(EVERYDAY, lambda labelled: labelled.form))
    for key, score in _scores(EVERYDAY).items():
        assert score.recall >= RECALL, key
        assert score.precision >= PRECISION, key


def test_recall_of_disguised_values(capsys: pytest.CaptureFixture[str]) -> None:
    """At least 90 % of deliberately disguised values are found, for each kind of disguise."""
    scores = _scores(DISGUISED, lambda labelled: labelled.form)
    _print(capsys, "disguised values", scores)
    for key, score in scores.items():
        if score.planted:
            assert score.recall >= RECALL_OF_DISGUISED, key
    for key, score in _scores(DISGUISED).items():
        assert score.precision >= PRECISION, key


def test_lookalikes_stay(capsys: pytest.CaptureFixture[str]) -> None:
    """At most 1 % of texts with order numbers, versions, dates, storage URLs or code are altered."""
    wrong = [(labelled.text, span) for labelled in LOOKALIKES for span in find_pii(labelled.text)]
    with capsys.disabled():
        print(f"\nlookalikes: {len(wrong)} of {len(LOOKALIKES)} texts lose something")
    assert len(wrong) <= len(LOOKALIKES) / 100, wrong[:10]


@pytest.mark.parametrize("kind", ["EMAIL", "PHONE", "CARD", "NATIONAL_ID", "IP", "CREDENTIALS", "SECRET"])
def test_a_missing_detector_is_caught(kind: Kind) -> None:
    """Mutant: without its detectors, the recall of a kind falls below the bar."""
    kept = tuple(detector for detector in DETECTORS if detector.kind != kind)
    assert _scores(PLAIN[:800], detectors=kept)[kind, ""].recall < RECALL


def test_a_missing_card_check_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: without checks of issuer and check digit, plain numbers are redacted as cards."""
    numbers = [f"order 20{n * 7919 % 10**14:014d} of batch {n}" for n in range(1, 300)]
    assert _cards(numbers) < 10
    monkeypatch.setattr(finance, "_is_card", lambda *_: True)
    assert _cards(numbers) > 30


def _cards(texts: list[str]) -> int:
    return sum(span.kind == "CARD" for text in texts for span in find_pii(text))


def test_missing_folding_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: without folding, most disguised values are missed."""
    monkeypatch.setattr(view.View, "_folded", lambda _self, source: source)
    scores = _scores(DISGUISED)
    assert scores["CARD", ""].recall < 0.7
    assert scores["PHONE", ""].recall < 0.7


def test_missing_labels_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: without the labels before numbers, national telephone numbers are missed and order numbers redacted."""

    def no_label(_lower: str, _at: int) -> Any:
        return "unknown"

    monkeypatch.setattr(view, "label_before", no_label)
    assert _scores(MULTILINGUAL)["PHONE", ""].recall < 0.9
    assert sum(len(find_pii(labelled.text)) for labelled in LOOKALIKES) > len(LOOKALIKES) / 100


def test_versions_redacted_as_addresses_are_caught() -> None:
    """Mutant: any four dotted numbers are redacted as an IP address."""
    mutant = tuple(_every_four_numbers(detector) for detector in DETECTORS)
    wrong = sum(span.kind == "IP" for labelled in LOOKALIKES for span in find_pii(labelled.text, mutant))
    assert wrong > len(LOOKALIKES) / 20


def _every_four_numbers(detector: Detector) -> Detector:
    if detector.kind != "IP":
        return detector

    def anywhere(seen: view.View) -> Iterator[tuple[int, int]]:
        return (match.span() for match in re.finditer(r"\d+\.\d+\.\d+\.\d+", seen.text))

    return Detector("IP", anywhere)
