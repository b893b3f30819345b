"""The outcome of a ticket: solved or not, when, and by which message."""

from typing import Any

import pytest

from core.contract import Message
from core.errors import ConfigError
from core.records import EnrichedTicket, TicketPoints
from core.wire.enriched import decode_enriched, encode_enriched
from models.run.hashing import HashingEmbedder
from operators.chunk import chunk
from operators.embed import embed
from operators.outcome import SolvedStatuses, parse_statuses
from operators.points import to_points
from tests.operators.samples import raw, ticket

_EMBEDDER = HashingEmbedder()
_STATUSES = parse_statuses("solved, Closed;borealis=done")
_THREAD = (
    Message(author="customer", body="It fails.", created_at=1_000),
    Message(author="agent", body="Try again.", created_at=2_000),
    Message(author="agent", body="Reset the router.", created_at=3_000),
    Message(author="agent", body="Note: a known fault.", created_at=4_000, public=False),
    Message(author="customer", body="Thanks, solved.", created_at=4_500),
)


def _payloads(statuses: SolvedStatuses = _STATUSES, *, by_topic: bool = False, **content: Any) -> list[dict[str, Any]]:
    (chunked,) = chunk(
        [EnrichedTicket(ticket(**content))], tokenizer=_EMBEDDER, max_tokens=64, overlap_tokens=4, max_passages=1_000
    )
    assert isinstance(chunked, EnrichedTicket)
    item = decode_enriched(raw(encode_enriched(chunked).value)) if by_topic else chunked
    (points,) = to_points(embed([item], embedder=_EMBEDDER), solved=statuses)  # type: ignore[arg-type]
    assert isinstance(points, TicketPoints)
    return [dict(point.payload) for point in points.points]


@pytest.mark.parametrize("by_topic", [False, True])
def test_the_last_public_answer_is_the_resolution(by_topic: bool) -> None:
    """A solved ticket's resolution is its agent's last public message, and its time is that message's."""
    found = _payloads(body="It fails.", status="CLOSED", messages=_THREAD, by_topic=by_topic)
    assert [one["text"] for one in found if one.get("resolution")] == ["Reset the router."]
    assert {(one["solved"], one["solved_at"], one["messages"]) for one in found} == {("yes", 3_000, 5)}
    assert [one["message_at"] for one in found] == [0, 2_000, 3_000, 4_000, 4_500]


def test_an_open_or_reopened_ticket_is_not_solved() -> None:
    """The current status counts, so a ticket that was reopened has no resolution."""
    for one in _payloads(body="x", status="open", messages=_THREAD):
        assert not {"solved", "solved_at", "resolution"} & set(one)


def test_a_ticket_solved_without_an_answer_has_no_resolution() -> None:
    """A ticket solved without an answer has no resolution, and was solved at its last change."""
    (found,) = _payloads(body="x", status="solved")
    assert (found["solved"], found["solved_at"], found["messages"]) == ("yes", 5_000, 0)
    assert "resolution" not in found


def test_a_tenant_can_have_statuses_of_its_own() -> None:
    """The statuses of a tenant replace the common ones."""
    assert _STATUSES.include("acme", "closed")
    assert _STATUSES.include("borealis", "Done")
    assert not _STATUSES.include("borealis", "closed")
    assert "solved" not in _payloads(parse_statuses("done"), body="x", status="solved")[0]


@pytest.mark.parametrize("text", ["solved;acme", "acme=done", "solved;=done"])
def test_a_malformed_setting_names_itself(text: str) -> None:
    """The error names the setting and says how to write it."""
    with pytest.raises(ConfigError, match="TICKETS_SEARCH__SOLVED_STATUSES"):
        parse_statuses(text)


def test_a_passage_knows_its_place() -> None:
    """`start` and `end` are the passage's characters in its message."""
    body = "  ".join(f"Sentence number {n} is here, the end of it." for n in range(60))
    found = _payloads(subject="s", body=body, messages=(Message(author="agent", body="Short.", created_at=0),))
    assert len(found) > 3
    for one in found[:-1]:
        assert body[one["start"] : one["end"]] == one["text"]
    assert (found[-1]["start"], found[-1]["end"]) == (0, 6)
    assert [one["start"] for one in found[:-1]] == sorted({one["start"] for one in found[:-1]})
