"""Payloads come back from the embedded engine as they went in."""

from typing import Any

import pytest
import qdrant_edge as edge
from hypothesis import given
from hypothesis import strategies as st

from connectors.qdrant.engine import AnyOf
from connectors.qdrant.layout import INDEXED
from connectors.qdrant.packing import filter_of, pack, packed_fields, unpack

# JSON has no infinity: a record that holds one never passes decoding (tests/operators/test_decode.py).
_NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_LEAVES = st.none() | st.booleans() | _NUMBERS | st.text()
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
_PAYLOADS = st.dictionaries(st.sampled_from([*INDEXED, "text", "tags", "attributes", "ticket_id", "rest"]), _VALUES)


@given(_PAYLOADS)
def test_what_is_packed_is_unpacked(payload: dict[str, Any]) -> None:
    """Also a field that is named like ours."""
    assert unpack(pack(payload)) == payload


@given(_PAYLOADS, st.lists(st.sampled_from([*INDEXED, "text", "tags", "missing"])))
def test_fields_asked_for_are_all_that_comes(payload: dict[str, Any], fields: list[str]) -> None:
    """What the engine is asked for holds them, and no others are shown."""
    held = {name: value for name, value in pack(payload).items() if name in packed_fields(fields)}
    assert unpack(held, fields) == {name: payload[name] for name in fields if name in payload}


def test_filters_read_numbers_and_hashes() -> None:
    """A number stays one, a word that is compared becomes one; all else is one string."""
    packed = pack({"tenant_id": "acme", "version": 3, "text": "hello", "tags": ["a"]})
    assert packed["version"] == 3
    assert type(packed["tenant_id"]) is int
    assert packed.keys() == {"version", "tenant_id", "rest"}
    assert packed_fields(["version", "chunk"]) == ["version", "chunk"]
    assert pack({"tenant_id": "acme"}) == pack({"tenant_id": "acme"}) != pack({"tenant_id": "acne"})


def test_what_goes_without_saying_is_asked_for_by_its_opposite() -> None:
    """Live and public are not held: whoever asks for them asks for no tombstone and no internal note."""
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
