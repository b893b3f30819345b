"""Every record is used or rejected exactly as the contract says, and no reason or log leaks its text.

TICKETS_TEST_BAD_RECORDS sets the number of records, TICKETS_TEST_BAD_SEED the seed.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import FatalError
from core.model_settings import ModelSettings
from core.records import Batch, Origin, Record, Rejected, Ticket, TicketPoints
from core.settings import ContractSettings, Settings
from models.run.hashing import HashingEmbedder
from operators import decode as decoding
from operators import parse
from operators.formats import Wrapped
from stream.plan import ticket_steps
from stream.steps import Step, run_step
from stream.telemetry import StreamTelemetry
from tests.bad_input.generator import corpus, fields, hit, key_of, records, written
from tests.bad_input.values import SECRETS, TIMES
from tests.reading import MAX_RECORD_BYTES, read

COUNT = int(os.environ.get("TICKETS_TEST_BAD_RECORDS", "4000"))
SEED = int(os.environ.get("TICKETS_TEST_BAD_SEED", "20260105"))
_BATCH = 256

SETTINGS = Settings(model=ModelSettings(name="hashing"), contract=ContractSettings(max_record_bytes=MAX_RECORD_BYTES))


def check(source: Iterable[Record], steps: Sequence[Step]) -> tuple[int, int]:
    """Run records through `steps`, decode first, and return the numbers of used and rejected records.

    Raises:
        AssertionError: a record was used or rejected against the contract, was altered, or leaked its text.
    """
    telemetry, used, rejected, left = StreamTelemetry(), 0, 0, iter(source)
    while batch := list(islice(left, _BATCH)):
        done: Batch[Any] = Batch(tuple(batch))
        for step in steps:
            done = run_step(step, done, telemetry)
        assert len(done.items) == len(batch), "a record is lost"
        for record, item in zip(batch, done.items, strict=True):
            _check_one(record, item)
            rejected += isinstance(item, Rejected)
            used += not isinstance(item, Rejected)
    return used, rejected


def _check_one(record: Record, item: Any) -> None:
    wanted = read(record)
    if wanted is None:
        assert isinstance(item, Rejected), f"used against the contract: {record.value!r:.600} {record.key!r}"
        assert item.record == record, "a dead letter must hold the record as it came"
        assert item.code != "fault", f"an operator raised: {item.reason}"
        assert not hit(item.reason), f"the reason shows the ticket: {item.reason}"
        assert item.reason.isprintable()
        assert len(item.reason) < 300
        return
    assert isinstance(item, Ticket | TicketPoints), f"{item.code}, {item.reason}: {record.value!r:.600} {record.key!r}"
    assert (item.tenant_id, item.ticket_id, item.version) == (wanted.tenant_id, wanted.ticket_id, wanted.version)
    if isinstance(item, Ticket):
        assert (item.content is None) == wanted.deleted
        return
    assert (not item.points) == wanted.deleted
    for point in item.points:
        assert not hit(point.payload, SECRETS), f"not redacted: {hit(point.payload, SECRETS)} of {record.value!r:.300}"
        msgspec.json.encode(point.payload)  # an index has to take it


@pytest.mark.parametrize("half", range(2))  # splits a run of a million over two cores
def test_records_are_used_or_rejected_as_the_contract_says(half: int, caplog: pytest.LogCaptureFixture) -> None:
    """Exactly the bad records are rejected, unaltered; nothing raises, and no reason or log holds a text."""
    caplog.set_level(logging.DEBUG)
    made, seed = COUNT // 2, SEED + half
    used, rejected = check(chain(corpus(), records(made, seed=seed)), ticket_steps(SETTINGS, HashingEmbedder()))
    assert used > made // 5, "with bad records only, a decoder that rejects everything would pass"
    assert rejected > made // 5
    assert not hit(caplog.text)
    print(f"{used + rejected:,} records, seed {seed}: {used:,} used, {rejected:,} rejected")


_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=70)
    | st.sampled_from(TIMES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from([name for name, _ in fields(0)]) | st.text(max_size=8)


@given(changes=st.lists(st.tuples(_NAMES, _ANYTHING), min_size=1, max_size=3), twice=st.booleans())
def test_any_json_in_any_field_is_judged_as_the_contract_says(changes: list[tuple[str, Any]], twice: bool) -> None:
    """A random JSON value that replaces or repeats any field is decoded as the contract says."""
    named = {name for name, _ in changes}
    given_ = [pair for pair in fields(0) if twice or pair[0] not in named]
    value = written(given_)[:-1] + b"".join(
        b"," + json.dumps(name).encode() + b":" + json.dumps(found, ensure_ascii=False).encode()
        for name, found in changes
    )
    check([Record(Origin("tickets.raw", 0, 0), key_of(0), value + b"}", 0)], [Step("decode", "decode", _sound)])


# --- decoders that are broken on purpose

Decode = Callable[[Sequence[Record]], list[Any]]


def _sound(items: Sequence[Record]) -> list[Any]:
    return list(decoding.decode(items, settings=SETTINGS.contract))


def _drops(items: Sequence[Record]) -> list[Any]:
    return [item for item in _sound(items) if not (isinstance(item, Rejected) and item.code == "bad_utf8")]


def _passes_over(items: Sequence[Record]) -> list[Any]:
    """Mutant: turns a record with a bad key into a delete of a missing ticket."""
    return [
        Ticket(item.record, "acme", "none", 1, None) if isinstance(item, Rejected) and item.code == "bad_key" else item
        for item in _sound(items)
    ]


def _accepts(old: bytes, new: bytes) -> Decode:
    """Mutant: replaces the invalid bytes `old` with valid ones before parsing."""

    def decode(items: Sequence[Record]) -> list[Any]:
        lenient = [r if r.value is None else msgspec.structs.replace(r, value=r.value.replace(old, new)) for r in items]
        return [
            msgspec.structs.replace(found, record=record) for record, found in zip(items, _sound(lenient), strict=True)
        ]

    return decode


def _quotes(items: Sequence[Record]) -> list[Any]:
    return [
        msgspec.structs.replace(item, reason=f"{item.reason}: {(item.record.value or b'').decode(errors='replace')}")
        if isinstance(item, Rejected) and item.code == "bad_field"
        else item
        for item in _sound(items)
    ]


def _rewrites(items: Sequence[Record]) -> list[Any]:
    """Mutant: strips bytes of the rejected record."""
    return [
        msgspec.structs.replace(
            item, record=msgspec.structs.replace(item.record, value=(item.record.value or b"").strip(b" \n\x00"))
        )
        if isinstance(item, Rejected)
        else item
        for item in _sound(items)
    ]


def _raises(items: Sequence[Record]) -> list[Any]:
    for item in items:
        (item.value or b"").decode()
    return _sound(items)


MUTANTS: dict[str, Decode] = {
    "drops a record": _drops,
    "uses a bad key": _passes_over,
    "accepts NaN": _accepts(b":NaN", b":1"),
    "accepts a version of 2^53": _accepts(b'"version":9007199254740992', b'"version":1'),
    "accepts a float for a version": _accepts(b'"version":1.0', b'"version":1'),
    "accepts a byte order mark": _accepts(b"\xef\xbb\xbf{", b"{"),
    "quotes the text": _quotes,
    "rewrites the bytes": _rewrites,
    "raises at bad UTF-8": _raises,
}


def test_the_sound_decoder_passes_where_mutants_fail() -> None:
    """The real decoder passes the check that the mutants fail."""
    _check_decoder(_sound)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_decoder_is_caught(mutant: str) -> None:
    """Each mutant fails the check."""
    with pytest.raises((AssertionError, FatalError)):  # FatalError if the number of items changes
        _check_decoder(MUTANTS[mutant])


@pytest.mark.parametrize("pattern", [r" '.*'", r"(?!)"], ids=["single quotes only", "nothing cut"])
def test_a_decoder_that_passes_on_what_the_parser_quotes_is_caught(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    """The parser's messages quote values in single or double quotes, and both are cut from reasons."""
    monkeypatch.setattr(parse, "_QUOTED", re.compile(pattern))
    with pytest.raises(AssertionError):
        _check_decoder(_sound)


def test_a_decoder_that_does_not_validate_utf8_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser skips unknown fields, so UTF-8 must be validated first."""
    monkeypatch.setattr(parse, "_check_utf8", lambda _value: None)
    with pytest.raises(AssertionError):
        _check_decoder(_sound)


@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        ("_check_times", lambda _event: None),
        ("mistaken_for_ms", lambda number: "seconds" if 10**8 <= number < 10**11 else None),
        ("replace_half_surrogates", lambda _value: None),
        ("unframe", lambda _value: None),
        ("unwrap", lambda _found: None),
        ("unwrap", lambda found: Wrapped(found.get("after") or found.get("before"), "an envelope")),
    ],
    ids=["times", "dates", "half characters", "framed values", "envelopes", "a deleted row"],
)
def test_a_decoder_without_one_of_the_contracts_rules_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, mutant: Callable[..., object]
) -> None:
    """Numbers that aren't milliseconds are rejected; half characters, framed values and envelopes are read."""
    monkeypatch.setattr(parse, name, mutant)
    with pytest.raises(AssertionError):
        _check_decoder(_sound)


def _check_decoder(decode: Decode) -> None:
    """Run the check on the corpus and the first generated records."""
    check(chain(corpus(), records(1_000, seed=20260105)), [Step("decode", "decode", decode)])
