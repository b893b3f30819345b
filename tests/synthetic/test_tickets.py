"""What the generator promises: the same for the same seed, believable, and of every kind."""

import json
from collections import Counter, defaultdict
from typing import Any, Final

import msgspec
import pytest

from core.contract import DeleteEvent, TicketEvent, UpsertEvent
from core.records import Origin, Record, Rejected
from core.settings import ContractSettings
from operators.decode import decode
from synthetic.tickets import SyntheticRecord, events, examples, questions
from synthetic.topics import TOPICS
from tests.oracle import broken, fold

_COUNT: Final = 10_000


@pytest.fixture(scope="module")
def records() -> list[SyntheticRecord]:
    """A day of a busy desk."""
    return list(events(_COUNT))


@pytest.fixture(scope="module")
def created(records: list[SyntheticRecord]) -> list[dict[str, Any]]:
    """The new tickets among them."""
    return [json.loads(record.value or b"") for record in records if record.kind == "create"]


def _log(records: list[SyntheticRecord]) -> list[Record]:
    return [
        Record(Origin("tickets.raw", 0, offset), made.key, made.value, 0, made.headers)
        for offset, made in enumerate(records)
    ]


def test_a_seed_makes_the_same_records() -> None:
    """Another seed makes others; a longer run begins like a shorter one."""
    first = list(events(500, broken=0.1))
    assert first == list(events(500, broken=0.1))
    assert first[:100] == list(events(100, broken=0.1))
    assert first != list(events(500, seed=8, broken=0.1))
    assert list(questions(seed=3)) == list(questions(seed=3)) != list(questions(seed=4))
    assert examples(seed=3) == examples(seed=3) != examples(seed=4)


def test_the_shares_are_kept(records: list[SyntheticRecord]) -> None:
    """Within two percent points of what was asked for; none when none was."""
    shares = {kind: n / _COUNT for kind, n in Counter(record.kind for record in records).items()}
    assert shares["edit"] == pytest.approx(0.15, abs=0.02)
    assert shares["delete"] + shares["null_delete"] == pytest.approx(0.03, abs=0.01)
    assert min(shares["delete"], shares["null_delete"]) > 0.005
    assert shares["duplicate"] == pytest.approx(0.05, abs=0.02)
    assert {record.kind for record in events(300, edits=0, deletes=0, duplicates=0)} == {"create"}


def test_every_record_keeps_the_contract(records: list[SyntheticRecord]) -> None:
    """A worker takes all of them, at any limit from 100,000 bytes up."""
    settings = ContractSettings(max_record_bytes=100_000)
    assert not [item for item in decode(_log(records), settings=settings) if isinstance(item, Rejected)]


def test_distinct_tickets_have_distinct_texts(created: list[dict[str, Any]]) -> None:
    """At least 95 % of them."""
    texts = {(t["subject"], t["body"], *(m["body"] for m in t["messages"])) for t in created}
    assert len(texts) > 0.95 * len(created)
    assert len({t["ticket_id"] for t in created}) == len(created)


def test_lengths_are_those_of_real_tickets(created: list[dict[str, Any]]) -> None:
    """In words, about 0.75 of the tokens: half are short, one in twenty fills a page, a few fill many."""
    words = sorted(
        len(" ".join((t["subject"], t["body"], *(m["body"] for m in t["messages"]))).split()) for t in created
    )
    assert 18 <= words[len(words) // 2] <= 32
    assert 80 <= words[int(len(words) * 0.95)] <= 150
    assert words[-1] > 1500


def test_tenants_channels_and_topics_are_mixed(created: list[dict[str, Any]]) -> None:
    """One tenant has most tickets; every channel is there; labels are there at times."""
    tenants = [n for _, n in Counter(t["tenant_id"] for t in created).most_common()]
    assert len(tenants) == 3
    assert tenants[0] > 5 * tenants[-1]
    assert {t["channel"] for t in created} == {"email", "chat", "web", "phone", "api"}
    assert {t.get("category") for t in created} == {None, *(topic.name for topic in TOPICS)}
    assert {t.get("priority") for t in created} == {None, "low", "normal", "high", "urgent"}


def test_mails_look_like_mails(created: list[dict[str, Any]]) -> None:
    """HTML, signatures, quoted history in several languages, internal notes, and personal data that is nobody's."""
    bodies = [t["body"] for t in created]
    for piece in (
        "<html>", "<blockquote>", "\n-- \n", "\n> ", "schrieb Support", "a écrit :", "ha scritto:",
        "@example.com", "+1 202-555-01", "192.0.2.", "4111 1111 1111 1111",
    ):  # fmt: skip
        assert sum(piece in body for body in bodies) > 5, piece
    messages = [m for t in created for m in t["messages"]]
    assert {(m["author"], m["public"]) for m in messages} == {("agent", True), ("customer", True), ("agent", False)}
    assert not [text for text in [*bodies, *(m["body"] for m in messages)] if "{" in text.replace("p { margin", "")]


def test_a_ticket_speaks_of_one_order(created: list[dict[str, Any]]) -> None:
    """The order in the subject is the one in the text."""
    both = [t for t in created if t["subject"].startswith("Parcel ") and "order" in t["body"].lower()]
    named = [t for t in both if any(word[1:2] == "-" for word in t["body"].split())]
    assert named
    assert all(t["subject"].split()[1] in t["body"] for t in named)


def test_versions_of_a_ticket_rise(records: list[SyntheticRecord]) -> None:
    """In the order written, duplicates apart; two different values never share a version."""
    seen: dict[bytes, list[int]] = defaultdict(list)
    for record in records:
        if record.kind == "duplicate" or (record.value is None and not record.headers):
            continue
        header = dict(record.headers).get("version")
        seen[record.key].append(int(header) if header else json.loads(record.value or b"")["version"])
    assert all(versions == sorted(set(versions)) for versions in seen.values())
    assert max(len(versions) for versions in seen.values()) > 3


def test_duplicates_repeat_an_earlier_record(records: list[SyntheticRecord]) -> None:
    """Byte for byte, headers too; some are out of date when they come."""
    seen: set[tuple[bytes, bytes | None, object]] = set()
    for record in records:
        assert record.kind != "duplicate" or (record.key, record.value, record.headers) in seen
        seen.add((record.key, record.value, record.headers))


def test_edits_shorten_threads_at_times(records: list[SyntheticRecord]) -> None:
    """So that chunks of an earlier version become too many."""
    lengths: dict[bytes, int] = {}
    shortened = 0
    for record in records:
        if record.kind in ("create", "edit"):
            messages = len(json.loads(record.value or b"")["messages"])
            shortened += messages < lengths.get(record.key, 0) - 2
            lengths[record.key] = messages
    assert shortened > 5


def test_deletes_come_in_every_form(records: list[SyntheticRecord]) -> None:
    """As an event, as null with a version, and as null for good; some tickets come back after one."""
    gone: set[bytes] = set()
    forms: Counter[str] = Counter()
    for record in records:
        if record.kind == "delete":
            assert isinstance(msgspec.json.decode(record.value or b"", type=TicketEvent), DeleteEvent)
            forms["event"] += 1
        elif record.kind == "null_delete":
            forms["versioned" if record.headers else "final"] += 1
        elif record.kind == "edit" and record.key in gone:
            forms["back"] += 1
        gone |= {record.key} if "delete" in record.kind else set()
    assert all(forms[form] > 5 for form in ("event", "versioned", "final", "back")), forms


def test_times_begin_where_told() -> None:
    """And never go back; a ticket is updated when or after it is created."""
    start = 1_800_000_000_000
    made = [json.loads(r.value or b"") for r in events(200, start_ms=start) if r.kind in ("create", "edit")]
    updated = [event["updated_at"] for event in made]
    assert updated == sorted(updated)
    assert all(start < event["created_at"] <= event["updated_at"] for event in made)


def test_the_broken_ones_are_those_that_decode_refuses() -> None:
    """Decode, the oracle and the generator agree on which, and every code of the contract is among the reasons."""
    made = list(events(4000, seed=2, broken=0.25))
    log = _log(made)
    results = decode(log, settings=ContractSettings(max_record_bytes=200_000))
    refused = [item.record.origin.offset for item in results if isinstance(item, Rejected)]
    assert refused == [record.origin.offset for record in broken(log)]
    assert refused == [offset for offset, record in enumerate(made) if record.kind == "broken"]
    codes = {item.code for item in results if isinstance(item, Rejected)}
    assert codes == {
        "too_large", "too_deep", "bad_utf8", "bad_json", "bad_field", "unknown_schema", "no_version", "bad_key",
        "too_many_messages", "too_many_tags",
    }  # fmt: skip


def test_the_oracle_folds_as_decode_reads() -> None:
    """Highest version per ticket, of equal ones the first, by another road."""
    log = _log(list(events(3000, seed=4, edits=0.4, deletes=0.1, duplicates=0.2, broken=0.05)))
    held: dict[tuple[str, str], tuple[int, bool, int]] = {}
    for item in decode(log, settings=ContractSettings(max_record_bytes=200_000)):
        if isinstance(item, Rejected):
            continue
        key = (item.tenant_id, item.ticket_id)
        if key not in held or item.version > held[key][0]:
            held[key] = (item.version, item.content is None, item.record.origin.offset)
    assert {key: (e.version, e.deleted, e.record.origin.offset) for key, e in fold(log).items()} == held
    assert sum(deleted for _, deleted, _ in held.values()) > 50


def test_questions_ask_about_each_topic_once() -> None:
    """Of the largest tenant, in words that no ticket has."""
    asked = list(questions())
    assert {q.topic_name for q in asked} == {topic.name for topic in TOPICS}
    assert len(asked) == len(TOPICS)
    assert {q.tenant_id for q in asked} == {"acme"}
    texts = " ".join(str(json.loads(r.value or b"")) for r in events(1000, deletes=0)).lower()
    assert not [q.text for q in asked if q.text.lower() in texts]


def test_examples_are_labelled_and_balanced() -> None:
    """As many of each category, each with the topic's priority, no text twice."""
    rows = examples(per_topic=5)
    assert set(Counter(row.category for row in rows).values()) == {5}
    assert {(row.category, row.priority) for row in rows} == {(topic.name, topic.priority) for topic in TOPICS}
    assert len({row.text for row in rows}) > 0.9 * len(rows)


def test_an_upsert_is_the_whole_ticket(created: list[dict[str, Any]]) -> None:
    """Nothing in it but the contract's fields."""
    assert set(created[0]) <= {"op", *UpsertEvent.__struct_fields__}
