"""The contract's small functions, and the edges of its types."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import FINAL_VERSION, MAX_VERSION, TicketEvent, UpsertEvent, milliseconds, moment, record_key

_EVENT: dict[str, Any] = {"op": "upsert", "tenant_id": "a", "ticket_id": "1", "created_at": 0, "updated_at": 0}


def test_every_version_is_exact_as_a_float() -> None:
    """The index compares versions as f64 ranges: neighbours must stay apart, the final delete included."""
    assert float(MAX_VERSION - 1) < float(MAX_VERSION) < float(FINAL_VERSION) < float(FINAL_VERSION + 1)
    assert int(float(FINAL_VERSION)) == FINAL_VERSION


def test_both_forms_of_a_timestamp_are_one_moment() -> None:
    """RFC 3339 in any offset and milliseconds say the same."""
    ms = 1_767_602_467_250
    at = datetime(2026, 1, 5, 9, 41, 7, 250_000, tzinfo=timezone(timedelta(hours=1)))
    assert milliseconds(at) == milliseconds(ms) == ms
    assert moment(ms) == at
    assert moment(ms).tzinfo is UTC


@pytest.mark.parametrize("ms", [0, 1, 999, 1_767_602_467_251, 253_402_300_799_999])
def test_milliseconds_survive_the_way_there_and_back(ms: int) -> None:
    """No millisecond is lost to a float."""
    assert milliseconds(moment(ms)) == ms


def test_the_first_slash_of_a_key_divides() -> None:
    """A ticket's id may hold slashes and any alphabet; the tenant is what comes before the first."""
    assert record_key("acme", "2026/ä") == b"acme/2026/\xc3\xa4"


def test_what_is_left_out_has_its_default() -> None:
    """The smallest upsert is a ticket with no text."""
    event = msgspec.convert(_EVENT, TicketEvent)
    assert isinstance(event, UpsertEvent)
    assert (event.subject, event.status, event.version, event.schema_version) == ("", "open", None, 1)
    assert (event.tags, event.messages, event.attributes) == ((), (), {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant_id", ""),
        ("tenant_id", "a/b"),
        ("tenant_id", "-a"),
        ("tenant_id", "a\n"),
        ("tenant_id", "é"),
        ("tenant_id", "a" * 65),
        ("ticket_id", ""),
        ("ticket_id", "1\x1f2"),
        ("ticket_id", "1\n"),
        ("ticket_id", "1\x7f"),
        ("ticket_id", "1" * 129),
        ("version", -1),
        ("version", MAX_VERSION + 1),
        ("version", True),
        ("created_at", "2026-01-01T00:00:00"),
        ("updated_at", -1),
        ("updated_at", None),
        ("category", ""),
        ("tags", ["x" * 65]),
        ("attributes", {"a": {"b": 1}}),
        ("messages", [{"author": "robot", "body": "", "created_at": 0}]),
        ("op", "merge"),
    ],
)
def test_what_the_contract_forbids_does_not_decode(field: str, value: object) -> None:
    """Each edge of a type refuses."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({**_EVENT, field: value}), type=TicketEvent)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant_id", "a" * 64),
        ("ticket_id", "日本/1" * 20),
        ("version", 0),
        ("version", MAX_VERSION),
        ("updated_at", "2026-01-01T00:00:00+05:30"),
        ("unlisted", {"a": [1]}),
    ],
)
def test_what_the_contract_allows_decodes(field: str, value: object) -> None:
    """The other side of the same edges; unknown fields are passed over."""
    msgspec.json.decode(msgspec.json.encode({**_EVENT, field: value}), type=TicketEvent)


@given(st.integers(0, 4_102_444_800_000))
def test_milliseconds_and_back_lose_nothing(ms: int) -> None:
    """As a version, one lost would let two changes collide."""
    assert milliseconds(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)) == ms
