"""Synthetic tickets are reproducible from a seed, realistic, and of every kind."""

import json
from collections import Counter, defaultdict
from hashlib import sha256
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
    """The events of a busy day."""
    return list(events(_COUNT))


@pytest.fixture(scope="module")
def created(records: list[SyntheticRecord]) -> list[dict[str, Any]]:
    """The new tickets of that day."""
    return [json.loads(record.value or b"") for record in records if record.kind == "create"]


def _log(records: list[SyntheticRecord]) -> list[Record]:
    return [
        Record(Origin("tickets.raw", 0, offset), made.key, made.value, 0, made.headers)
        for offset, made in enumerate(records)
    ]


def test_the_records_of_a_seed_never_change() -> None:
    """The records of a seed are pinned, because benchmark figures are compared across versions."""
    digest = sha256()
    for record in events(500, seed=7):
        digest.update(repr(msgspec.structs.astuple(record)).encode())
    assert digest.hexdigest() == "a43d281a4ffaabbf8c3a99a4529076e9a3f4027df48090260fab430b304c2a7f"


def test_a_seed_makes_the_same_records() -> None:
    """Another seed makes other records, and a longer run begins like a shorter one."""
    first = list(events(500, broken=0.1))
    assert first == list(events(500, broken=0.1))
    assert first[:100] == list(events(100, broken=0.1))
    assert first != list(events(500, seed=8, broken=0.1))
    assert list(questions(seed=3)) == list(questions(seed=3)) != list(questions(seed=4))
    assert examples(seed=3) == examples(seed=3) != examples(seed=4)


def test_ids_begin_at_the_given_number() -> None:
    """A second run can go on with new tickets."""
    made = [json.loads(r.value or b"")["ticket_id"] for r in events(300, first=1001) if r.kind == "create"]
    assert min(int(ticket_id[2:]) for ticket_id in made) == 1001
    assert [r.topic_name for r in events(300, first=1001)] == [r.topic_name for r in events(300)]


def test_the_shares_are_kept(records: list[SyntheticRecord]) -> None:
    """Shares are within two percentage points of the arguments, and a share of 0 makes none."""
    shares = {kind: n / _COUNT for kind, n in Counter(record.kind for record in records).items()}
    assert shares["edit"] == pytest.approx(0.15, abs=0.02)
    assert shares["delete"] + shares["null_delete"] == pytest.approx(0.03, abs=0.01)
    assert min(shares["delete"], shares["null_delete"]) > 0.005
    assert shares["duplicate"] == pytest.approx(0.05, abs=0.02)
    assert {record.kind for record in events(300, edits=0, deletes=0, duplicates=0)} == {"create"}


def test_every_record_keeps_the_contract(records: list[SyntheticRecord]) -> None:
    """A worker accepts all of them at any size limit from 100,000 bytes."""
    settings = ContractSettings(max_record_bytes=100_000)
    assert not [item for item in decode(_log(records), settings=settings) if isinstance(item, Rejected)]


def test_distinct_tickets_have_distinct_texts(created: list[dict[str, Any]]) -> None:
    """At least 95 % of the texts are distinct."""
    texts = {(t["subject"], t["body"], *(m["body"] for m in t["messages"])) for t in created}
    assert len(texts) > 0.95 * len(created)
    assert len({t["ticket_id"] for t in created}) == len(created)


def test_text_lengths_are_realistic(created: list[dict[str, Any]]) -> None:
    """Half are short, one in twenty fills a page, and a few fill many. A word is about 1.3 tokens."""
    words = sorted(
        len(" ".join((t["subject"], t["body"], *(m["body"] for m in t["messages"]))).split()) for t in created
    )
    assert 18 <= words[len(words) // 2] <= 32
    assert 80 <= words[int(len(words) * 0.95)] <= 150
    assert words[-1] > 1500


def test_tenants_channels_and_topics_are_mixed(created: list[dict[str, Any]]) -> None:
    """One tenant has most tickets, every channel occurs, and some tickets have labels."""
    tenants = [n for _, n in Counter(t["tenant_id"] for t in created).most_common()]
    assert len(tenants) == 3
    assert tenants[0] > 5 * tenants[-1]
    assert {t["channel"] for t in created} == {"email", "chat", "web", "phone", "api"}
    assert {t.get("category") for t in created} == {None, *(topic.name for topic in TOPICS)}
    assert {t.get("priority") for t in created} == {None, "low", "normal", "high", "urgent"}


def test_mails_look_like_mails(created: list[dict[str, Any]]) -> None:
    """Tickets have HTML, signatures, quotes in several languages, internal notes and fictitious personal data."""
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


def test_versions_of_a_ticket_increase_in_write_order(records: list[SyntheticRecord]) -> None:
    """Duplicates apart, two records of a ticket never share a version."""
    seen: dict[bytes, list[int]] = defaultdict(list)
    for record in records:
        if record.kind == "duplicate" or (record.value is None and not record.headers):
            continue
        header = dict(record.headers).get("version")
        seen[record.key].append(int(header) if header else json.loads(record.value or b"")["version"])
    assert all(versions == sorted(set(versions)) for versions in seen.values())
    assert max(len(versions) for versions in seen.values()) > 3


def test_duplicates_repeat_an_earlier_record(records: list[SyntheticRecord]) -> None:
    """Key, value and headers are equal, byte for byte."""
    seen: set[tuple[bytes, bytes | None, object]] = set()
    for record in records:
        assert record.kind != "duplicate" or (record.key, record.value, record.headers) in seen
        seen.add((record.key, record.value, record.headers))


def test_some_edits_shorten_a_thread(records: list[SyntheticRecord]) -> None:
    """Some edits shorten a thread, so that an index must delete surplus chunks."""
    lengths: dict[bytes, int] = {}
    shortened = 0
    for record in records:
        if record.kind in ("create", "edit"):
            messages = len(json.loads(record.value or b"")["messages"])
            shortened += messages < lengths.get(record.key, 0) - 2
            lengths[record.key] = messages
    assert shortened > 5


def test_deletes_come_in_every_form(records: list[SyntheticRecord]) -> None:
    """There are delete events, versioned nulls and final nulls, and some deleted tickets are created again."""
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


def test_times_begin_at_the_given_moment_and_never_decrease() -> None:
    """No ticket is updated before it is created."""
    start = 1_800_000_000_000
    made = [json.loads(r.value or b"") for r in events(200, start_ms=start) if r.kind in ("create", "edit")]
    updated = [event["updated_at"] for event in made]
    assert updated == sorted(updated)
    assert all(start < event["created_at"] <= event["updated_at"] for event in made)


def test_decode_rejects_exactly_the_broken_records() -> None:
    """Decode, the oracle and the generator agree, and every code of the contract occurs."""
    made = list(events(4000, seed=2, broken=0.25))
    log = _log(made)
    results = decode(log, settings=ContractSettings(max_record_bytes=200_000))
    refused = [item.record.origin.offset for item in results if isinstance(item, Rejected)]
    assert refused == [record.origin.offset for record in broken(log)]
    assert refused == [offset for offset, record in enumerate(made) if record.kind == "broken"]
    codes = {item.code for item in results if isinstance(item, Rejected)}
    assert codes == {
        "too_large", "too_deep", "bad_utf8", "bad_json", "bad_field", "unknown_schema", "no_version", "bad_key",
        "too_many_messages", "too_many_tags", "other_format", "wire_format", "envelope",
    }  # fmt: skip


def test_the_fold_of_the_oracle_equals_one_over_decode() -> None:
    """Both keep the highest version of a ticket, and the first of equal versions."""
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
    """The questions ask the largest tenant about each topic once, in words that no ticket has."""
    asked = list(questions())
    assert {q.topic_name for q in asked} == {topic.name for topic in TOPICS}
    assert len(asked) == len(TOPICS)
    assert {q.tenant_id for q in asked} == {"acme"}
    texts = " ".join(str(json.loads(r.value or b"")) for r in events(1000, deletes=0)).lower()
    assert not [q.text for q in asked if q.text.lower() in texts]


def test_examples_are_labelled_and_balanced() -> None:
    """Every category has the same number, with its topic's priority; nine texts in ten are distinct."""
    rows = examples(per_topic=5)
    assert set(Counter(row.category for row in rows).values()) == {5}
    assert {(row.category, row.priority) for row in rows} == {(topic.name, topic.priority) for topic in TOPICS}
    assert len({row.text for row in rows}) > 0.9 * len(rows)


def test_an_upsert_has_only_fields_of_the_contract(created: list[dict[str, Any]]) -> None:
    """Upserts have only fields of the contract, so that none is misspelt."""
    assert set(created[0]) <= {"op", *UpsertEvent.__struct_fields__}
