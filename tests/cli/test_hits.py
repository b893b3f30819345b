"""The table of hits, and what `search` prints when it finds nothing."""

import json
import re
from collections.abc import Sequence

import msgspec
import pytest
from rich.text import Text

from cli import search as command
from cli.hits import explanation, hits_table, shown_date
from cli.terminal import open_console
from core.index import SearchQuery, Thread
from runtime.control import WorkerStatus
from search.result import Answer, Factor
from tests.search.cases import hit

QUERY = SearchQuery(tenant_id="acme")
HIT = msgspec.structs.replace(
    hit(
        "T-1",
        0.712,
        "Sign-in fails\nReset the token, then sign in again.",
        subject="Sign-in fails",
        status="solved",
        channel="email",
        role="agent",
        solved_at=1_767_225_600_000,
    ),
    why="both",
    message=1,
    solved=True,
    resolution=True,
    exact=("err-42",),
    bonus=0.2,
    factors=(Factor("solved", 1.03, "solved"),),
)


class _Searcher:
    """Answers every question with the same answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def search(self, text: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        del text, query, plain
        return self._answer

    def similar(self, ticket_id: str, query: SearchQuery, *, plain: bool = False) -> Answer:
        del ticket_id, query, plain
        return self._answer

    def threads(self, tenant_id: str, ticket_ids: Sequence[str], *, public_only: bool = False) -> tuple[Thread, ...]:
        del tenant_id, ticket_ids, public_only
        return ()

    def warning(self) -> str | None:
        return None

    def status(self) -> WorkerStatus:
        raise NotImplementedError


def _printed(answer: Answer, *, width: int = 100, explain: bool = False) -> str:
    console = open_console(width=width)
    with console.capture() as shown:
        console.print(hits_table("sign in ERR-42", answer, explain=explain))
    return shown.get()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_hit_says_why_and_which_passage(width: int) -> None:
    """Score, reason, outcome, author and passage stand in the row, at any width."""
    shown = _printed(Answer(hits=(HIT,), nothing=False), width=width)
    words = " ".join(shown.replace("│", " ").split())
    for text in ("0.712", "T-1", "✓ solved", "2026-01-01", "Reset the token"):
        assert text in words
    assert "resolution" in words
    assert max(map(len, shown.splitlines())) <= width


def test_the_subject_is_shown_once() -> None:
    """A passage that begins with the subject doesn't repeat it."""
    assert _printed(Answer(hits=(HIT,), nothing=False)).count("Sign-in fails") == 1


def test_explain_shows_the_factors() -> None:
    """`--explain` adds similarity, words, the identifiers held and each factor."""
    shown = _printed(Answer(hits=(HIT,), nothing=False, words_weight=0.5), width=160, explain=True)
    assert "0.500 * similarity 0.712 + 0.500 * words 0.000; holds err-42 + 0.200; solved * 1.030" in shown


def test_the_explained_parts_make_the_score() -> None:
    """The parts that `--explain` shows give the score to two decimals, with any weight of words."""
    match = (1 - 0.0837) * 0.5124 + 0.0837 * 1 + 0.2 / 3
    one = msgspec.structs.replace(HIT, score=match * 1.03, similarity=0.5124, words=1.0, bonus=0.2 / 3)
    numbers = [float(found) for found in re.findall(r"\d\.\d+", explanation(one, Answer(words_weight=0.0837)))]
    meaning, similarity, weight, words, bonus, factor = numbers
    assert (meaning * similarity + weight * words + bonus) * factor == pytest.approx(one.score, abs=0.002)


def test_control_characters_in_a_ticket_are_shown_escaped() -> None:
    """A ticket can't write escape sequences to the terminal."""
    hostile = msgspec.structs.replace(HIT, ticket_id="\x1b[2J", passage="\x1b]0;x\x07")
    assert "\x1b" not in _printed(Answer(hits=(hostile,), nothing=False))


def test_nothing_found_is_one_line_unless_all_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Hits that don't answer the question are withheld, and `--all` shows them."""
    searcher = _Searcher(Answer(hits=(HIT,), nothing=True, confidence=0.12))
    command.show(searcher, "cake", QUERY)
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith("nothing found: no ticket of tenant acme seems to answer this question (confidence 0.12)")
    command.show(searcher, "cake", QUERY, show_all=True)
    assert "T-1" in capsys.readouterr().out


def test_json_carries_all(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints the whole answer, hits of a search that found nothing included."""
    command.show(_Searcher(Answer(hits=(HIT,), nothing=True, confidence=0.12)), "cake", QUERY, as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["nothing"], printed["confidence"]) == (True, 0.12)
    assert printed["hits"][0]["factors"] == [{"name": "solved", "value": 1.03, "reason": "solved"}]


def test_a_long_passage_is_cut_around_the_words_of_the_question() -> None:
    """The excerpt begins near the first word of the question."""
    long = msgspec.structs.replace(HIT, passage="filler " * 100 + "the ERR-42 code " + "filler " * 100)
    assert "ERR-42" in Text(_printed(Answer(hits=(long,), nothing=False))).plain


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (1_767_225_600_000, "2026-01-01"),
        (-62_135_596_800_000, "1-01-01"),
        (-62_135_600_400_000, "before the year 1"),
        (253_402_343_999_000, "after the year 9999"),
    ],
)
def test_a_time_out_of_the_calendar_is_shown_in_words(time: int, shown: str) -> None:
    """9999-12-31T23:59:59-12:00 is a time of the contract, and in UTC one that Python has no date for."""
    assert shown_date(time).removeprefix("000") == shown
