"""How well redaction finds: recall and precision per kind on labelled texts, printed in every run."""

from collections import Counter

import pytest
from msgspec.structs import replace

from operators.pii.detector import Detector, Span
from operators.pii.find import DETECTORS, find_pii
from synthetic.pii import Labelled, labelled_texts

RECALL = 0.99
PRECISION = 0.97
TEXTS = list(labelled_texts(4_000, seed=11))


def _score(texts: list[Labelled], detectors: tuple[Detector, ...] = DETECTORS) -> dict[str, tuple[float, float, int]]:
    """Recall, precision and number planted, per kind. A secret in a URL counts as found under either name."""
    planted: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    claimed: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for labelled in texts:
        found = find_pii(labelled.text, detectors)
        for start, end, kind in labelled.spans:
            planted[kind] += 1
            hit[kind] += any(s.kind == kind and s.start <= start and end <= s.end for s in found)
        for span in found:
            claimed[span.kind] += 1
            right[span.kind] += any(_agrees(span, spot) for spot in labelled.spans)
    return {kind: (hit[kind] / planted[kind], right[kind] / max(1, claimed[kind]), planted[kind]) for kind in planted}


def _agrees(span: Span, spot: tuple[int, int, str]) -> bool:
    start, end, kind = spot
    return span.kind == kind and span.start < end and start < span.end


def test_recall_and_precision_per_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind is found at least 99 times in 100, and at least 97 of 100 findings are right."""
    scores = _score(TEXTS)
    with capsys.disabled():
        print(f"\n{'kind':12} {'recall':>8} {'precision':>10} {'planted':>8}")
        for kind, (recall, precision, planted) in sorted(scores.items()):
            print(f"{kind:12} {recall:8.4f} {precision:10.4f} {planted:8}")
    assert set(scores) == {"EMAIL", "PHONE", "CARD", "IBAN", "NATIONAL_ID", "IP", "CREDENTIALS", "SECRET"}
    for kind, (recall, precision, planted) in scores.items():
        assert planted >= 300, kind
        assert recall >= RECALL, kind
        assert precision >= PRECISION, kind


@pytest.mark.parametrize("kind", ["EMAIL", "PHONE", "CARD", "NATIONAL_ID", "IP", "CREDENTIALS", "SECRET"])
def test_a_detector_that_is_missing_shows(kind: str) -> None:
    """The mutant: without its detectors a kind's recall falls below the bar."""
    kept = tuple(detector for detector in DETECTORS if detector.kind != kind)
    assert _score(TEXTS[:800], kept)[kind][0] < RECALL


def test_a_check_that_is_missing_shows() -> None:
    """The mutant: cards without Luhn and issuer, ids without checksum, cost precision on plain numbers."""
    careless = tuple(replace(detector, check=lambda _match: True) for detector in DETECTORS)
    numbers = [Labelled(f"order {n * 7919 % 10**16:016d} of batch {n}", ()) for n in range(1, 300)]
    wrong = sum(span.kind == "CARD" for labelled in numbers for span in find_pii(labelled.text, careless))
    sound = sum(span.kind == "CARD" for labelled in numbers for span in find_pii(labelled.text))
    assert wrong > 100
    assert sound < 10
