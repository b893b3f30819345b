"""Laws of searching by words and of threads, in the form of `tests.contracts.index_laws`."""

from math import log

import pytest

from connectors.qdrant.engine import Upsert
from connectors.qdrant.policy import VersionedIndex
from core.index import Candidate, SearchQuery
from core.records import Point, TicketPoints
from operators.terms import passage_terms, question_terms, term_id
from tests.contracts.index_laws import ticket, vector


def by_words(index: VersionedIndex, text: str, **query: object) -> dict[tuple[str, int], Candidate]:
    """Candidates that the words of `text` find, by ticket and chunk."""
    asked = SearchQuery(**{"tenant_id": "acme", **query})  # type: ignore[arg-type]
    found = index.candidates(asked, None, question_terms(text))
    return {(one.ticket_id, one.chunk): one for one in found}


def _weighed(index: VersionedIndex, text: str, **query: object) -> dict[tuple[str, int], float]:
    """The BM25 scores of `by_words`."""
    return {key: one.words for key, one in by_words(index, text, **query).items()}


def an_identifier_finds_its_passage(index: VersionedIndex) -> None:
    """A candidate has both scores: one that only the words found has its similarity, and the reverse."""
    near, made = ticket("near", 1, 1, text="the parcel is late"), ticket("far", 1, 1, text="order A-42988 is late")
    wanted, (point,) = vector("acme", "near", 1, 0), made.points
    far = TicketPoints("acme", "far", 1, (Point(point.id, -wanted, point.payload, point.terms),))
    index.write([near, far, *(ticket(str(n), 1, 1, text="hello") for n in range(40))])
    terms = question_terms("where is A-42988?")
    found = {one.ticket_id: one for one in index.candidates(SearchQuery(tenant_id="acme", limit=1), wanted, terms)}
    assert found["near"].similarity > 0.99
    assert found["near"].words == 0
    assert found["far"].words > 0
    assert found["far"].similarity == pytest.approx(-1, abs=1e-4)
    assert found["far"].passage == "order A-42988 is late"
    payload = found["far"].payload()
    assert (payload["tenant_id"], payload["text"]) == ("acme", "order A-42988 is late")
    assert found["far"].payload() == payload
    late = index.candidates(SearchQuery(tenant_id="acme", limit=1), wanted, question_terms("late A-42988"))
    scores = {one.ticket_id: one.words for one in late}
    assert scores["far"] > scores["near"] > 0


def rarity_is_the_tenants_own(index: VersionedIndex) -> None:
    """The words of other tenants, and internal notes where only public passages are searched, move no score."""
    index.write([ticket("1", 1, 1, text="printer jam"), ticket("2", 1, 1, text="printer fire")])
    before, alone = _weighed(index, "printer fire"), _weighed(index, "fire")
    (weight,) = passage_terms("printer").values
    length = passage_terms("printer fire").values[0] / weight
    fire = weight * length * (log(1 + (2 - 1 + 0.5) / 1.5) + log(1 + 0.5 / 2.5))
    assert before["2", 0] == pytest.approx(fire, rel=1e-4)
    index.write([ticket(str(n), 1, 1, tenant="borealis", text="fire fire printer") for n in range(30)])
    assert _weighed(index, "printer fire") == before
    internal = (ticket(f"note{n}", 1, 1, text="fire drill", visibility="internal") for n in range(30))
    index.write([*internal])
    assert _weighed(index, "printer fire", public_only=True) == before
    assert _weighed(index, "fire")["2", 0] < alone["2", 0]


def a_flood_of_words_hides_no_ticket(index: VersionedIndex) -> None:
    """Tickets of hundreds of passages with the question's words leave room for the others, and give few candidates."""
    for name in ("f1", "f2"):
        index.write([ticket(name, 1, 300, text="timeout timeout timeout")])
    others = {str(n) for n in range(12)}
    index.write([ticket(n, 1, 1, text="a timeout, once, in a longer text about something else") for n in others])
    found = index.candidates(SearchQuery(tenant_id="acme", limit=12), vector("q"), question_terms("timeout"))
    assert {one.ticket_id for one in found} >= {"f1", "f2"}
    assert len({one.ticket_id for one in found}) >= 12
    assert sum(one.ticket_id == "f1" for one in found) <= 16


def words_of_other_versions_find_nothing(index: VersionedIndex) -> None:
    """A ticket isn't found by words that its current version lacks, nor when it is deleted or partly written."""
    index.write([ticket("1", 1, 2, text="jackson-databind"), ticket("2", 1, 2, text="log4j")])
    index.write([ticket("1", 2, 1, text="gson"), ticket("2", 2, 0)])
    assert by_words(index, "jackson-databind log4j") == {}
    assert {version for (_id, version) in by_words(index, "gson")} == {0}
    half = ticket("1", 3, 3, text="moshi")
    index.engine.write([Upsert(half.points[1:], below=4)])
    assert by_words(index, "moshi") == {}
    index.write([half])
    assert by_words(index, "moshi").keys() == {("1", 0), ("1", 1), ("1", 2)}


def points_without_terms_are_found_by_meaning(index: VersionedIndex) -> None:
    """Points that an earlier version wrote, without terms, are found by meaning, and their words count as 0."""
    old = ticket("1", 1, 2, text="printer")
    bare = tuple(Point(point.id, point.vector, point.payload) for point in old.points)
    index.write([TicketPoints("acme", "1", 1, bare), ticket("2", 1, 1, text="printer")])
    assert by_words(index, "printer").keys() == {("2", 0)}
    found = index.candidates(SearchQuery(tenant_id="acme"), vector("q"), question_terms("printer"))
    assert {(one.ticket_id, one.words > 0) for one in found} == {("1", False), ("2", True)}


def known_terms_are_the_tenants_own(index: VersionedIndex) -> None:
    """A term is known if the tenant's live passages have it; what only internal notes have is not known publicly."""
    index.write(
        [
            ticket("1", 1, 1, text="ERR_CONN-42"),
            ticket("2", 1, 1, text="ERR_SECRET-7", visibility="internal"),
            ticket("3", 1, 1, text="ERR_GONE-1"),
            ticket("1", 1, 1, tenant="borealis", text="ERR_OTHER-9"),
        ]
    )
    index.write([ticket("3", 2, 0)])
    codes = ["err_conn-42", "err_secret-7", "err_gone-1", "err_other-9"]
    asked = [term_id(code) for code in codes]
    assert index.known("acme", asked) == {asked[0], asked[1]}
    assert index.known("acme", asked, public_only=True) == {asked[0]}
    assert index.known("borealis", asked) == {asked[3]}
    assert index.known("nobody", asked) == frozenset()


def a_thread_is_the_current_version(index: VersionedIndex) -> None:
    """A thread has the passages of the current version in order; there is none of a deleted or unknown ticket."""
    index.write([ticket("1", 1, 5), ticket("1", 2, 3), ticket("1", 1, 2, tenant="borealis"), ticket("2", 1, 0)])
    index.engine.write([Upsert(ticket("1", 3, 5).points[3:], below=4)])  # half of a newer version
    thread = index.thread("acme", "1", vectors=True)
    assert thread is not None
    assert (thread.tenant_id, thread.ticket_id, thread.version) == ("acme", "1", 2)
    assert [one.passage for one in thread.passages] == [f"1 v2 chunk {n}" for n in range(3)]
    assert [one.chunk for one in thread.passages] == [0, 1, 2]
    for number, one in enumerate(thread.passages):
        assert one.vector == pytest.approx(vector("acme", "1", 2, number), abs=1e-4)
        assert one.payload["status"] == "open"
    plain = index.thread("acme", "1")
    assert plain is not None
    assert all(one.vector is None for one in plain.passages)
    assert index.thread("acme", "2") is index.thread("acme", "3") is index.thread("nobody", "1") is None


def a_shorter_thread_ends_with_its_version(index: VersionedIndex) -> None:
    """The tombstones that a shorter version leaves are no passages of its thread."""
    index.write([ticket("1", 1, 5), ticket("1", 2, 2)])
    thread = index.thread("acme", "1")
    assert thread is not None
    assert [one.passage for one in thread.passages] == ["1 v2 chunk 0", "1 v2 chunk 1"]


def a_public_thread_has_no_notes(index: VersionedIndex) -> None:
    """A thread of public passages leaves internal notes out."""
    index.write([ticket("1", 1, 2, visibility="internal"), ticket("2", 1, 2)])
    for ticket_id, count in (("1", 0), ("2", 2)):
        thread = index.thread("acme", ticket_id, public_only=True)
        assert thread is not None
        assert len(thread.passages) == count


def resolution_filters_filter(index: VersionedIndex) -> None:
    """A search filters by customer, priority, author, creation, and by whether and when a ticket was solved."""
    index.write(
        [
            ticket("a", 1, 1, role="agent", priority="high", customer_id="C-1", created_at=1_000),
            ticket("b", 1, 1, role="customer", solved="yes", solved_at=5_000, created_at=2_000),
        ]
    )

    def ids(**query: object) -> set[str]:
        asked = SearchQuery(**{"tenant_id": "acme", **query})  # type: ignore[arg-type]
        return {one.ticket_id for one in index.candidates(asked, vector("q"), None)}

    assert ids(role=("agent",)) == ids(priority=("high",)) == ids(customer_id=("C-1", "C-2")) == {"a"}
    assert ids(solved=True) == ids(role=("customer",)) == {"b"}
    assert ids(solved=False) == {"a"}
    assert ids(solved_after_ms=5_000) == ids(solved_before_ms=5_001) == {"b"}
    assert ids(solved_before_ms=5_000) == set()
    assert ids(created_after_ms=2_000) == {"b"}
    assert ids(created_before_ms=2_000) == {"a"}


def provenance_is_never_a_candidate(index: VersionedIndex) -> None:
    """The points of the provenance are found by no tenant, not even by the empty one."""
    index.write([ticket("1", 1, 1, text="provenance settings finished")])
    found = index.candidates(SearchQuery(tenant_id=""), vector("q"), question_terms("provenance settings finished"))
    assert found == []
    assert index.thread("", "provenance") is None


NEED_WORDS = (
    an_identifier_finds_its_passage,
    rarity_is_the_tenants_own,
    a_flood_of_words_hides_no_ticket,
    words_of_other_versions_find_nothing,
    points_without_terms_are_found_by_meaning,
    known_terms_are_the_tenants_own,
)
LAWS = (
    *NEED_WORDS,
    a_thread_is_the_current_version,
    a_shorter_thread_ends_with_its_version,
    a_public_thread_has_no_notes,
    resolution_filters_filter,
    provenance_is_never_a_candidate,
)
