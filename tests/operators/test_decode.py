"""Records that follow the contract become tickets; others are rejected."""

from typing import Any

import msgspec
import pytest

from core.contract import FINAL_VERSION, MAX_VERSION, UpsertEvent
from core.json_escapes import HALF_IN_ID
from core.records import Record, Rejected, Ticket
from core.settings import ContractSettings
from operators.decode import decode
from tests.operators.samples import event, raw


def _decode(record: Record, **settings: Any) -> Ticket | Rejected:
    return decode([record], settings=ContractSettings(**settings))[0]


def _encoded(**changes: Any) -> Record:
    return raw(msgspec.json.encode(event(**changes)))


def test_an_upsert_is_a_ticket_with_its_content() -> None:
    """The ticket has the event's ids, version and content, and its record."""
    record = _encoded()
    done = _decode(record)
    assert isinstance(done, Ticket)
    assert (done.tenant_id, done.ticket_id, done.version, done.record) == ("acme", "1", 3, record)
    assert isinstance(done.content, UpsertEvent)
    assert done.content.subject == "Card lost"


def test_unknown_fields_are_ignored() -> None:
    """An event with unlisted fields is decoded."""
    assert isinstance(_decode(_encoded(sla="gold", nested={"a": [1]})), Ticket)


@pytest.mark.parametrize(
    ("record", "code", "words"),
    [
        (raw(b"{"), "bad_json", "not JSON"),
        (raw(b""), "bad_json", "not JSON"),
        (raw(b'{"op":"upsert","subject":"\xff"}'), "bad_utf8", "not UTF-8"),
        (raw(b"7"), "bad_field", "expected"),
        (_encoded(version=msgspec.UNSET), "no_version", "version is missing"),
        (_encoded(version=-1), "bad_field", "version: expected `int` >= 0"),
        (_encoded(version=2**53), "bad_field", "version"),
        (_encoded(attributes={"n": 2**63}), "bad_field", "attributes[...]: expected `int` <="),
        (raw(msgspec.json.encode(event())[:-1] + b',"attributes":{"n":1e999}}'), "bad_field", "out of range"),
        (_encoded(version="3"), "bad_field", "version: expected `int"),
        (_encoded(op="merge"), "bad_field", "op"),
        (_encoded(op=msgspec.UNSET), "bad_field", "`op`"),
        (_encoded(tenant_id="a/b"), "bad_field", "tenant_id"),
        (_encoded(tenant_id="acme\n"), "bad_field", "tenant_id"),
        (_encoded(ticket_id=""), "bad_field", "ticket_id"),
        (_encoded(updated_at="yesterday"), "bad_field", "updated_at"),
        (_encoded(updated_at="2026-01-05T08:00:00"), "bad_field", "updated_at"),
        (_encoded(updated_at=1_704_442_353), "bad_field", "updated_at: the number looks like seconds; write RFC 3339"),
        (_encoded(created_at=20240105), "bad_field", "created_at: the number looks like YYYYMMDD; write RFC 3339"),
        (_encoded(updated_at=20240105081233), "bad_field", "updated_at: the number looks like YYYYMMDDhhmmss"),
        (_encoded(updated_at=1_704_442_353_000_000), "bad_field", "or milliseconds since 1970"),
        (_encoded(updated_at=1_704_442_353.5), "bad_field", "or milliseconds since 1970"),
        (_encoded(updated_at="2024-01-05 08:12:33 UTC"), "bad_field", "write RFC 3339 with an offset, as in 2026-"),
        (
            _encoded(
                messages=[{"author": "agent", "body": "", "created_at": 0}] * 2
                + [{"author": "agent", "body": "", "created_at": 1_704_442_353}]
            ),
            "bad_field",
            "messages[2].created_at: the number looks like seconds",
        ),
        (
            raw(b'{"op":"delete","tenant_id":"acme","ticket_id":"1","version":9,"updated_at":1704442353}'),
            "bad_field",
            "updated_at: the number looks like seconds",
        ),
        (_encoded(messages=[{"author": "robot", "body": "", "created_at": 0}]), "bad_field", "messages[0].author"),
        (_encoded(schema_version=2), "unknown_schema", "schema_version is 2; this worker reads 1"),
        (_encoded(schema_version=2, subject=7), "unknown_schema", "schema_version is 2"),
        (_encoded(ticket_id="2"), "bad_key", "tenant_id/ticket_id"),
        (raw(msgspec.json.encode(event()), key=None), "bad_key", "tenant_id/ticket_id"),
        (_encoded(messages=[{"author": "agent", "body": "", "created_at": 0}] * 1001), "too_many_messages", "1,001"),
        (_encoded(tags=["x"] * 101), "too_many_tags", "101 tags, more than the 100"),
        (_encoded(body="x" * 1_000_000), "too_large", "more than the 1,000,000 allowed"),
        (raw(b'{"x":' + b"[" * 100_000), "too_deep", "deeper than the 16 levels"),
        (raw(msgspec.json.encode(event())[:-1] + b',"x":' + b"[" * 20 + b"]" * 20 + b"}"), "too_deep", "16"),
        (raw(None, key=None), "bad_key", "key"),
        (raw(None, key=b"no slash"), "bad_key", "key"),
        (raw(None, key=b"\xff/1"), "bad_key", "key"),
        (raw(None, version=b"newest"), "no_version", "version header"),
        (raw(None, version=b"9" * 400), "no_version", "version header"),
        (raw(None, version="٣".encode()), "no_version", "version header"),
    ],
)
def test_a_record_against_the_contract_is_rejected(record: Record, code: str, words: str) -> None:
    """A rejection has a code, a reason and the original record."""
    done = _decode(record)
    assert isinstance(done, Rejected), done
    assert (done.code, done.stage) == (code, "decode")
    assert words.lower() in done.reason.lower()
    assert done.record is record


def test_a_reason_never_quotes_the_ticket() -> None:
    """Reasons are shown in lists of dead letters, so they hold no text of the record."""
    for changes in ({"status": {"secret": 1}}, {"tags": "secret"}, {"updated_at": "secret"}, {"op": "secret"}):
        done = _decode(_encoded(**changes))
        assert isinstance(done, Rejected)
        assert "secret" not in done.reason


def test_brackets_in_text_are_no_depth() -> None:
    """Brackets inside strings don't count as nesting."""
    assert isinstance(_decode(_encoded(body='[[[[{{{{ "quoted \\" [" ' * 20)), Ticket)


@pytest.mark.parametrize(
    ("escapes", "text"),
    [
        (rb"Great \ud83d", "Great \ufffd"),
        (rb"\ude00 app", "\ufffd app"),
        (rb"\ud83d\ud83d\ude00", "\ufffd😀"),
        (rb"\\ud83d \ud83d", "\\ud83d \ufffd"),
    ],
)
def test_half_an_emoji_is_read_as_the_replacement_character(escapes: bytes, text: str) -> None:
    """A lone surrogate in any string becomes U+FFFD, and the rest of the text is kept."""
    subject = _decode(raw(msgspec.json.encode(event(subject="@")).replace(b"@", escapes)))
    last = _decode(raw(msgspec.json.encode(event())[:-1] + b',"body":"' + escapes + b'"}'))
    unlisted = _decode(raw(msgspec.json.encode(event())[:-1] + b',"x":"' + escapes + b'"}'))
    assert isinstance(subject, Ticket)
    assert isinstance(last, Ticket)
    assert isinstance(unlisted, Ticket)
    assert subject.content is not None
    assert last.content is not None
    assert (subject.content.subject, last.content.body) == (text, text)


def test_half_an_emoji_in_an_id_is_rejected() -> None:
    """Two tickets would become one if each half counted as U+FFFD."""
    rejected = _decode(raw(msgspec.json.encode(event(ticket_id="@")).replace(b"@", rb"\ud83d")))
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.reason) == ("bad_field", HALF_IN_ID)


@pytest.mark.parametrize("value", [0, 5_000, 99_999_999, 10**11, 1_704_442_353_000, 253_402_300_799_999])
def test_milliseconds_of_any_plausible_size_are_times(value: int) -> None:
    """Only numbers that look like seconds or dates are refused."""
    done = _decode(_encoded(created_at=value, updated_at=value), version_source="updated_at", max_ahead_s=1e12)
    assert isinstance(done, Ticket)
    assert done.version == value


@pytest.mark.parametrize("version", [0, MAX_VERSION])
def test_versions_at_the_edge(version: int) -> None:
    """The smallest and the largest version are accepted."""
    done = _decode(_encoded(version=version))
    assert isinstance(done, Ticket)
    assert done.version == version


def test_a_delete_event_has_no_content() -> None:
    """A delete has its event's version."""
    done = _decode(raw(b'{"op":"delete","tenant_id":"acme","ticket_id":"1","version":9}'))
    assert isinstance(done, Ticket)
    assert (done.version, done.content) == (9, None)


def test_a_null_value_is_final_unless_it_says_otherwise() -> None:
    """A `version` header orders it; with VERSION_SOURCE=updated_at the record's timestamp does."""
    final, versioned = _decode(raw(None)), _decode(raw(None, version=b"12"))
    timed = _decode(raw(None), version_source="updated_at")
    assert isinstance(final, Ticket)
    assert isinstance(versioned, Ticket)
    assert isinstance(timed, Ticket)
    assert (final.version, versioned.version, timed.version) == (FINAL_VERSION, 12, 1_700_000_123_456)


def test_updated_at_is_the_version_if_the_setting_says_so() -> None:
    """With updated_at as source its milliseconds are the version, and `version` is ignored."""
    done = _decode(_encoded(), version_source="updated_at", max_ahead_s=1e12)
    assert isinstance(done, Ticket)
    assert done.version == 1_767_600_000_000
    nothing = _decode(raw(b'{"op":"delete","tenant_id":"acme","ticket_id":"1"}'), version_source="updated_at")
    assert isinstance(nothing, Rejected)
    assert nothing.code == "no_version"


@pytest.mark.parametrize("ahead_s", [-1, 0, 3_600, 3_601, 10**11])
def test_an_event_dated_in_the_future_is_rejected_where_its_time_is_its_version(ahead_s: int) -> None:
    """An event would outrank its ticket's delete, and a delete its ticket's return."""
    record = _encoded(updated_at=raw(None).timestamp_ms + 1000 * ahead_s)
    done = _decode(record, version_source="updated_at", max_ahead_s=3_600)
    assert (done.code if isinstance(done, Rejected) else "accepted") == ("future" if ahead_s > 3_600 else "accepted")
    assert isinstance(_decode(record, max_ahead_s=1), Ticket), "elsewhere it is no version"
    delete = raw(None, version=str(record.timestamp_ms + 1000 * ahead_s).encode())
    dead = isinstance(_decode(delete, version_source="updated_at", max_ahead_s=3_600), Rejected)
    assert dead is (ahead_s > 3_600)
    assert isinstance(_decode(delete, max_ahead_s=1), Ticket), "elsewhere the header is no time"


@pytest.mark.parametrize("timestamp_ms", [0, -1, 4_102_444_800_000, 253_402_300_799_999, 2**63 - 1])
@pytest.mark.parametrize("record", [_encoded(), raw(None, version=b"253402300799999")], ids=["upsert", "null value"])
def test_a_record_without_a_plausible_timestamp_bounds_no_time(record: Record, timestamp_ms: int) -> None:
    """A timestamp that is missing or in year 9999 counts as 1970, so it can't lift the bound."""
    done = _decode(msgspec.structs.replace(record, timestamp_ms=timestamp_ms), version_source="updated_at")
    assert isinstance(done, Rejected)
    assert done.code == "future"


def test_a_null_value_of_year_9999_is_rejected_where_its_timestamp_is_its_version() -> None:
    """No later event could bring the ticket back. With counts as versions, such a null value is accepted."""
    late = msgspec.structs.replace(raw(None), timestamp_ms=253_402_300_799_999)
    done = _decode(late, version_source="updated_at")
    assert isinstance(done, Rejected)
    assert done.code == "future"
    assert isinstance(_decode(late), Ticket)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (_encoded(updated_at="1969-12-31T23:59:59Z"), "updated_at is missing or before 1970"),
        (msgspec.structs.replace(raw(None), timestamp_ms=-1), "the record's timestamp is missing or before 1970"),
    ],
    ids=["upsert", "null value"],
)
def test_a_time_before_1970_is_no_version(record: Record, words: str) -> None:
    """The client gives -1 for a missing timestamp, and a negative version would lose against a missing ticket."""
    done = _decode(record, version_source="updated_at")
    assert isinstance(done, Rejected)
    assert done.code == "no_version"
    assert words in done.reason
    assert isinstance(_decode(record), Ticket)
