"""Packing of payloads for the embedded engine."""

from collections.abc import Callable

import msgspec
import pytest
import qdrant_edge as edge
from hypothesis import given
from hypothesis import strategies as st

from connectors.qdrant.engine import AnyOf, Stored
from connectors.qdrant.layout import INDEXED, Row, row_of
from connectors.qdrant.packing import filter_of, pack, packed_fields, packed_row, unpack
from core.errors import FatalError

# JSON has no infinity: a record that holds one never passes decoding (tests/operators/test_decode.py).
_NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_LEAVES = st.none() | st.booleans() | _NUMBERS | st.text()
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
_PAYLOADS = st.dictionaries(st.sampled_from([*INDEXED, "text", "tags", "attributes", "ticket_id", "rest"]), _VALUES)


@given(_PAYLOADS)
def test_a_packed_payload_is_unpacked_unchanged(payload: Stored) -> None:
    """Every JSON payload survives, also one with a field that has the packed field's name."""
    held = {name: value for name, value in pack(payload).items() if name in packed_fields(None)}
    assert unpack(held) == unpack(pack(payload)) == payload


@given(
    _PAYLOADS, st.sampled_from(["live", "deleted"]), st.lists(st.sampled_from([*INDEXED, "text", "tags", "missing"]))
)
def test_only_the_fields_asked_for_are_unpacked(payload: Stored, state: str, fields: list[str]) -> None:
    """The packed fields contain all the fields asked for, and unpacking leaves the others out."""
    payload = {**payload, "state": state}
    held = {name: value for name, value in pack(payload).items() if name in packed_fields(fields)}
    assert unpack(held, fields) == {name: payload[name] for name in fields if name in payload}


_ROWS = st.fixed_dictionaries(
    {"tenant_id": st.text(), "ticket_id": st.text(), "version": st.integers(0, 2**53)},
    optional={
        "chunk": st.integers(0, 9),
        "chunks": st.integers(0, 9),
        "updated_at": st.integers(-(2**53), 2**53),
        **dict.fromkeys(("head", "text", "subject", "language", "status", "solved", "customer_id"), st.text()),
        "state": st.sampled_from(["live", "deleted"]),
        "tags": st.lists(st.text()),
        "resolution": st.booleans(),
    },
)
_SPOILT = st.sampled_from([*Row.__struct_fields__])
_WRONG = st.none() | st.booleans() | st.integers(0, 9) | st.floats(0, 9) | st.text() | st.lists(st.text())


@given(_ROWS, st.none() | st.tuples(_SPOILT, _WRONG))
def test_a_row_is_read_as_it_is_from_the_whole_payload(payload: Stored, spoilt: tuple[str, object] | None) -> None:
    """Reading the row of a packed payload and of the whole one give the same, also the same error."""
    payload = payload if spoilt is None else {**payload, spoilt[0]: spoilt[1]}
    held = {name: value for name, value in pack(payload).items() if name in packed_fields(None)}
    assert _read(packed_row, held) == _read(row_of, payload)


@pytest.mark.parametrize(
    "packed", [{}, {"version": 1}, {"rest": "{}", "version": 1}, {"rest": "no JSON", "version": 1}]
)
def test_a_foreign_point_is_no_row(packed: Stored) -> None:
    """A point that this program didn't write is refused with a reason."""
    with pytest.raises(FatalError, match="not a ticket's"):
        packed_row(packed)


def test_a_fact_of_another_type_is_left_out() -> None:
    """A point with a subject or status that this program wouldn't write is found all the same."""
    payload = {"tenant_id": "acme", "ticket_id": "1", "version": 1, "subject": None, "solved": True}
    for changed in ("x", True, 1.5, [1]):
        stored = {**payload, "updated_at": changed}
        for row in (row_of(stored), packed_row(pack(stored))):
            assert (row.ticket_id, row.subject, row.solved, row.updated_at) == ("1", "", None, None)


def test_each_tenant_has_its_own_filter() -> None:
    """Filters that are remembered are those of their conditions."""
    for tenant in ("acme", "borealis", "acme"):
        found = filter_of([AnyOf("tenant_id", (tenant,)), AnyOf("status", ("open",))])
        assert found is not None
        assert found.must is not None
        values = [getattr(getattr(one, "match", None), "value", None) for one in found.must]
        assert values == [pack({"tenant_id": tenant})["tenant_id"], pack({"status": "open"})["status"]]


def _read(row: Callable[[Stored], Row], payload: Stored) -> dict[str, object] | None:
    """The fields of the row; None if it is refused."""
    try:
        return msgspec.structs.asdict(row(payload))
    except FatalError:
        return None


def test_filters_read_numbers_and_hashes() -> None:
    """A number is stored as it is, a keyword as its hash, and all other fields as one string."""
    packed = pack({"tenant_id": "acme", "version": 3, "text": "hello", "tags": ["a"]})
    assert packed["version"] == 3
    assert type(packed["tenant_id"]) is int
    assert packed.keys() == {"version", "tenant_id", "rest"}
    assert packed_fields(["version", "chunk"]) == ["version", "chunk"]
    assert pack({"tenant_id": "acme"}) == pack({"tenant_id": "acme"}) != pack({"tenant_id": "acne"})


def test_a_default_value_is_filtered_by_its_opposite() -> None:
    """Live and public are not stored, so a filter for them excludes deleted and internal."""
    assert "state" not in pack({"state": "live", "visibility": "public"})
    assert "state" in pack({"state": "deleted"})
    live = filter_of([AnyOf("state", ("live",))])
    assert live is not None
    assert live.must_not is not None
    (condition,) = live.must_not
    assert isinstance(condition, edge.FieldCondition)
    assert condition.key == "state"
    assert not live.must
    with pytest.raises(NotImplementedError):
        filter_of([AnyOf("state", ("live", "deleted"))])
