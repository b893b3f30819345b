"""A body is accepted exactly if the contract accepts the resulting event."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from core.contract import UpsertEvent
from core.records import Origin, Record, Rejected
from core.settings import ContractSettings
from operators.decode import decode
from services.tickets import commands
from services.tickets.bodies import NewComment, NewTicket, TicketPatch

_NOW_MS = 1_767_600_000_000
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
_keywords = st.one_of(
    _texts, st.sampled_from(["", "x" * 64, "x" * 65, "\U0001f600" * 64, "x" * 129]), st.integers(), st.none()
)
_numbers = st.one_of(
    st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 1.0, 1, True]),
    st.floats(allow_nan=False, allow_infinity=False),
)
_values = st.one_of(_texts, _numbers, st.none(), st.lists(st.integers(), max_size=1))
_bodies = st.fixed_dictionaries(
    {},
    optional={
        "subject": st.one_of(_texts, st.none(), st.integers()),
        "body": _texts,
        "channel": _keywords,
        "status": _keywords,
        "priority": _keywords,
        "category": _keywords,
        "customer_id": st.one_of(_keywords, st.just("x" * 128)),
        "tags": st.lists(_keywords, max_size=3),
        "attributes": st.dictionaries(_texts, _values, max_size=3),
    },
)


def accepts(model: type[BaseModel], body: dict[str, Any]) -> BaseModel | None:
    try:
        return model.model_validate(body)
    except ValidationError:
        return None


def contract_accepts(body: dict[str, Any]) -> bool:
    event = {"op": "upsert", "tenant_id": "a", "ticket_id": "T", "created_at": 0, "updated_at": 0, **body}
    try:
        msgspec.convert(event, UpsertEvent)
    except msgspec.ValidationError:
        return False
    return True


@settings(max_examples=300)
@given(_bodies)
def test_a_new_ticket_is_held_to_the_contract(body: dict[str, Any]) -> None:
    """The model and the contract agree, and a worker decodes the event that was made."""
    found = accepts(NewTicket, body)
    assert (found is not None) == contract_accepts(body)
    if isinstance(found, NewTicket):
        event = commands.created(found, tenant_id="a", ticket_id="T", now_ms=_NOW_MS)
        assert {name: getattr(event, name) for name in body if name != "tags"} == {
            name: value for name, value in body.items() if name != "tags"
        }
        _require_decoded(event)


@settings(max_examples=200)
@given(_bodies)
def test_a_patch_is_held_to_the_contract(body: dict[str, Any]) -> None:
    """A patch is accepted if its fields are valid, and changes only these."""
    found = accepts(TicketPatch, body)
    assert (found is not None) == contract_accepts(body)
    if isinstance(found, TicketPatch) and body:
        old = commands.created(
            NewTicket(subject="old", tags=["old"], priority="old"), tenant_id="a", ticket_id="T", now_ms=_NOW_MS
        )
        new = commands.updated(old, found, now_ms=_NOW_MS + 1)
        same = set(UpsertEvent.__struct_fields__) - set(body) - {"version", "updated_at"}
        assert {name: getattr(new, name) for name in same} == {name: getattr(old, name) for name in same}
        _require_decoded(new)


@given(_texts)
def test_a_comment_becomes_a_message(text: str) -> None:
    """Any text except an empty one is accepted as a comment, and becomes a message."""
    found = accepts(NewComment, {"body": text})
    assert (found is not None) == bool(text)
    if isinstance(found, NewComment):
        ticket = commands.created(NewTicket(), tenant_id="a", ticket_id="T", now_ms=_NOW_MS)
        _require_decoded(commands.commented(ticket, found, author="agent", now_ms=_NOW_MS + 1))


def _require_decoded(event: UpsertEvent) -> None:
    value = commands.encoded(event, ContractSettings())
    record = Record(Origin("t", 0, 0), b"a/T", value, 0)
    (ticket,) = decode([record], settings=ContractSettings())
    assert not isinstance(ticket, Rejected), ticket
    assert ticket.content == event
