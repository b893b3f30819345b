"""The contract's functions, and the bounds of its types."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import (
    FINAL_VERSION,
    MAX_VERSION,
    TicketEvent,
    UpsertEvent,
    datetime_from_ms,
    milliseconds,
    record_key,
)

_EVENT: dict[str, Any] = {"op": "upsert", "tenant_id": "a", "ticket_id": "1", "created_at": 0, "updated_at": 0}


def test_every_version_is_exact_as_a_float() -> None:
    """The index compares versions as floats, which are exact for every version up to the final delete's."""
    assert float(MAX_VERSION - 1) < float(MAX_VERSION) < float(FINAL_VERSION) < float(FINAL_VERSION + 1)
    assert int(float(FINAL_VERSION)) == FINAL_VERSION


def test_both_forms_of_a_timestamp_give_the_same_milliseconds() -> None:
    """RFC 3339 with any offset and milliseconds give the same result."""
    ms = 1_767_602_467_250
    at = datetime(2026, 1, 5, 9, 41, 7, 250_000, tzinfo=timezone(timedelta(hours=1)))
    assert milliseconds(at) == milliseconds(ms) == ms
    assert datetime_from_ms(ms) == at
    assert datetime_from_ms(ms).tzinfo is UTC


@pytest.mark.parametrize("ms", [0, 1, 999, 1_767_602_467_251, 253_402_300_799_999])
def test_milliseconds_survive_a_round_trip(ms: int) -> None:
    """No millisecond is lost by rounding."""
    assert milliseconds(datetime_from_ms(ms)) == ms


def test_the_first_slash_of_a_key_is_the_separator() -> None:
    """A ticket's id may contain slashes and any alphabet, and a tenant's id can't."""
    assert record_key("acme", "2026/ä") == b"acme/2026/\xc3\xa4"


def test_missing_fields_have_their_defaults() -> None:
    """The smallest upsert is a ticket without text."""
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
def test_a_value_outside_the_contract_is_rejected(field: str, value: object) -> None:
    """Values just outside a type's bounds are rejected."""
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
def test_a_value_within_the_contract_is_accepted(field: str, value: object) -> None:
    """Values just inside the same bounds are accepted, and unknown fields are ignored."""
    msgspec.json.decode(msgspec.json.encode({**_EVENT, field: value}), type=TicketEvent)


@given(st.integers(0, 4_102_444_800_000))
def test_a_datetime_from_milliseconds_converts_back(ms: int) -> None:
    """Conversion to milliseconds and back is lossless: as versions, rounded times could collide."""
    assert milliseconds(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)) == ms
