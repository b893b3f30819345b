"""The laws of an index, as functions that raise AssertionError: for both engines, and for the mutants."""

import threading
from random import Random
from typing import cast
from zlib import crc32

import numpy as np

from connectors.qdrant.engine import Upsert
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.identity import point_id
from core.index import Candidate, SearchQuery
from core.payload import Payload
from core.protocols import IndexReader
from core.records import Point, TicketPoints, Vector
from core.settings import IndexSettings
from operators.terms import passage_terms
from tests.contracts.digest import contents

DIMENSION = 8
MODEL = "model/1"


def opened(settings: IndexSettings) -> VersionedIndex:
    """The index, open for writing, of the tests' dimension and model."""
    return open_index_for_writing(settings, dimension=DIMENSION, model=MODEL)


def vector(*parts: object) -> Vector:
    """A unit vector that depends on nothing but `parts`."""
    rng = np.random.default_rng(crc32(repr(parts).encode()))
    found: Vector = rng.standard_normal(DIMENSION).astype(np.float32)
    found /= np.linalg.norm(found)
    return found


def ticket(ticket_id: str, version: int, chunks: int, *, tenant: str = "acme", **facts: str | int) -> TicketPoints:
    """A version of a ticket with `chunks` chunks; without any it is deleted. `facts` override payload fields."""
    points = tuple(
        Point(
            id=point_id(tenant, ticket_id, n),
            vector=vector(tenant, ticket_id, version, n),
            terms=passage_terms(str(facts.get("text", f"{ticket_id} v{version} chunk {n}"))),
            payload=cast(
                "Payload",
                {
                    "tenant_id": tenant,
                    "ticket_id": ticket_id,
                    "head": point_id(tenant, ticket_id, 0),
                    "version": version,
                    "chunk": n,
                    "chunks": chunks,
                    "state": "live",
                    "model": MODEL,
                    "text": f"{ticket_id} v{version} chunk {n}",
                    "status": "open",
                    "visibility": "public",
                    "updated_at": 1_000 * version,
                    **facts,
                },
            ),
        )
        for n in range(chunks)
    )
    return TicketPoints(tenant, ticket_id, version, points)


def held(index: IndexReader) -> dict[tuple[str, str], tuple[int, bool]]:
    """Version of every ticket, and whether it is deleted."""
    return {(t.tenant_id, t.ticket_id): (t.version, t.deleted) for t in index.tickets()}


def nearest(index: IndexReader, query: SearchQuery, wanted: Vector) -> list[Candidate]:
    """The best passage of each ticket by meaning alone, nearest first."""
    best: dict[tuple[str, str], Candidate] = {}
    for found in sorted(index.candidates(query, wanted, None), key=lambda found: -found.similarity):
        best.setdefault((found.tenant_id, found.ticket_id), found)
    return list(best.values())[: query.limit]


def search(index: IndexReader, wanted: Vector, **query: object) -> list[tuple[str, str, int]]:
    """Tenant, ticket and version of each of the nearest tickets."""
    asked = SearchQuery(**{"tenant_id": "acme", "limit": 100, **query})  # type: ignore[arg-type]
    return [(hit.tenant_id, hit.ticket_id, hit.version) for hit in nearest(index, asked, wanted)]


# --- the laws


def highest_version_wins(index: VersionedIndex) -> None:
    """The highest version wins, in whatever order the versions are written."""
    versions = [3, 1, 5, 2, 5, 4]
    for version in versions:
        index.write([ticket("1", version, 1)])
    assert held(index) == {("acme", "1"): (5, False)}
    assert search(index, vector("acme", "1", 5, 0)) == [("acme", "1", 5)]


def deleted_stays_deleted(index: VersionedIndex) -> None:
    """An older upsert that comes late doesn't restore a deleted ticket; a newer one does."""
    index.write([ticket("1", 2, 3)])
    index.write([ticket("1", 3, 0)])
    index.write([ticket("1", 2, 3)])
    assert held(index) == {("acme", "1"): (3, True)}
    assert search(index, vector("acme", "1", 2, 0)) == []
    index.write([ticket("1", 4, 1)])
    assert search(index, vector("acme", "1", 4, 0)) == [("acme", "1", 4)]


def shorter_version_leaves_nothing(index: VersionedIndex) -> None:
    """After a shorter version, the chunks that only the longer one had are gone."""
    index.write([ticket("1", 1, 5)])
    index.write([ticket("1", 2, 2)])
    texts = {payload["text"] for payload, _vector, _terms in contents(index).values()}
    assert texts == {"1 v2 chunk 0", "1 v2 chunk 1"}
    assert index.size().points - index.size().tombstones == 2


def tenants_are_apart(index: VersionedIndex) -> None:
    """A search never finds another tenant's tickets, not even one with the same ticket id."""
    index.write([ticket("1", 1, 2), ticket("1", 7, 2, tenant="borealis"), ticket("2", 1, 1, tenant="borealis")])
    found = search(index, vector("borealis", "2", 1, 0))
    assert found == [("acme", "1", 1)]


def half_a_write_is_not_shown(index: VersionedIndex) -> None:
    """A chunk is not found until its version's head is written."""
    index.write([ticket("1", 1, 3)])
    half = ticket("1", 2, 3)
    index.engine.write([Upsert(half.points[1:], below=3)])
    assert search(index, half.points[2].vector) == [("acme", "1", 1)]  # type: ignore[arg-type]
    index.write([half])
    assert search(index, half.points[2].vector) == [("acme", "1", 2)]  # type: ignore[arg-type]


def order_of_writers_does_not_matter(index: VersionedIndex) -> None:
    """Four concurrent writers, each with all versions in its own order, leave every ticket complete and newest."""
    versions = [ticket(str(n), v, (v * 7 + n) % 6) for n in range(12) for v in range(1, 9)]

    def write(seed: int) -> None:
        mixed = versions.copy()
        Random(seed).shuffle(mixed)
        for at in range(0, len(mixed), 5):
            index.write(mixed[at : at + 5])

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = {("acme", str(n)): (8, (8 * 7 + n) % 6 == 0) for n in range(12)}
    assert held(index) == newest
    assert all(payload["version"] == 8 for payload, _vector, _terms in contents(index).values())


def same_again_changes_nothing(index: VersionedIndex) -> None:
    """Applying any suffix of a log again doesn't change the contents."""
    log = [ticket(str(n % 5), 1 + n // 5, (n * 3) % 4) for n in range(40)]
    index.write(log)
    before = contents(index)
    for at in (0, 13, 39):
        for one in log[at:]:
            index.write([one])
    assert contents(index) == before


def results_are_tickets(index: VersionedIndex) -> None:
    """A ticket of many chunks is one hit, with its best chunk, and doesn't crowd out other tickets."""
    wanted = vector("wanted")
    long = ticket("long", 1, 40)
    near = tuple(
        Point(p.id, (wanted + 0.01 * n).astype(np.float32), p.payload) for n, p in enumerate(long.points, start=1)
    )
    index.write([TicketPoints("acme", "long", 1, near), *(ticket(str(n), 1, 1) for n in range(5))])
    found = search(index, wanted, limit=6)
    assert len(found) == len({*found}) == 6
    assert found[0] == ("acme", "long", 1)
    hit = nearest(index, SearchQuery(tenant_id="acme", limit=1), wanted)[0]
    assert hit.passage == "long v1 chunk 0"
    assert 0.9 < hit.similarity <= 1.001


def a_flood_hides_no_ticket(index: VersionedIndex) -> None:
    """Tickets of hundreds of passages that resemble the question are a hit each, and other tickets fill the rest."""
    wanted = vector("wanted")
    for name in ("f1", "f2", "f3"):
        flood = ticket(name, 1, 300)
        near = (Point(p.id, wanted + 0.01 * vector(name, p.id), p.payload) for p in flood.points)
        index.write([TicketPoints("acme", name, 1, tuple(near))])
    index.write([ticket(str(n), 1, 2) for n in range(12)])
    found = search(index, wanted, limit=10)
    assert {ticket_id for _tenant, ticket_id, _version in found[:3]} == {"f1", "f2", "f3"}
    assert len(found) == len({*found}) == 10


def a_ticket_that_is_being_rewritten_is_found(index: VersionedIndex) -> None:
    """A ticket is found by its complete version while a newer one with many nearer chunks has no head yet."""
    wanted = vector("wanted")
    index.write([ticket("big", 1, 1), ticket("other", 1, 1)])
    newer = ticket("big", 2, 200)
    near = tuple(Point(p.id, wanted, p.payload) for p in newer.points)
    index.engine.write([Upsert(near[1:], below=3)])
    assert {*search(index, wanted, limit=2)} == {("acme", "big", 1), ("acme", "other", 1)}
    index.write([TicketPoints("acme", "big", 2, near)])
    assert search(index, wanted, limit=1) == [("acme", "big", 2)]


def a_rewritten_ticket_is_found_by_any_passage(index: VersionedIndex) -> None:
    """A new version is found as soon as it is written, also by passages without its head among them."""
    wanted = vector("wanted")
    for version in (1, 2):
        head, *bodies = ticket("1", version, 40).points
        near = (Point(p.id, wanted, p.payload) for p in bodies)
        index.write([TicketPoints("acme", "1", version, (head, *near))])
        assert search(index, wanted, limit=1) == [("acme", "1", version)]


def filters_filter(index: VersionedIndex) -> None:
    """A search finds only tickets that match every filter; the values of one filter are alternatives."""
    index.write(
        [
            ticket("a", 1, 1, status="open", category="billing", language="en", channel="email"),
            ticket("b", 2, 1, status="closed", category="login", language="de", channel="chat"),
            ticket("c", 3, 1, status="open", visibility="internal"),
        ]
    )
    q = vector("any")

    def ids(**query: object) -> set[str]:
        return {ticket_id for _tenant, ticket_id, _version in search(index, q, **query)}

    assert ids() == {"a", "b", "c"}
    assert ids(status=("open",)) == {"a", "c"}
    assert ids(status=("open", "closed"), category=("login", "billing")) == {"a", "b"}
    assert ids(language=("de",)) == {"b"}
    assert ids(channel=("email",)) == {"a"}
    assert ids(updated_after_ms=2_000) == {"b", "c"}
    assert ids(updated_before_ms=2_000) == {"a"}
    assert ids(public_only=True) == {"a", "b"}


def only_producers_labels_are_learnt_from(index: VersionedIndex) -> None:
    """`labelled` lists the first passage of each live ticket whose producer gave it a label, with that label."""
    chosen = {"category": "card", "category_confidence": "0.9"}
    index.write(
        [
            ticket("given", 1, 2, category="billing", priority="high"),
            ticket("half", 1, 1, **chosen, priority="low"),
            ticket("chosen", 1, 1, **chosen),
            ticket("bare", 1, 1),
            ticket("deleted", 1, 1, category="login"),
        ]
    )
    index.write([ticket("deleted", 2, 0)])
    found = {(one.category, one.priority): one.vector for one in index.labelled()}
    assert found.keys() == {("billing", "high"), (None, "low")}
    assert np.allclose(found["billing", "high"], vector("acme", "given", 1, 0), atol=1e-6)


LAWS = (
    highest_version_wins,
    deleted_stays_deleted,
    shorter_version_leaves_nothing,
    tenants_are_apart,
    half_a_write_is_not_shown,
    order_of_writers_does_not_matter,
    same_again_changes_nothing,
    results_are_tickets,
    a_flood_hides_no_ticket,
    a_ticket_that_is_being_rewritten_is_found,
    a_rewritten_ticket_is_found_by_any_passage,
    filters_filter,
    only_producers_labels_are_learnt_from,
)
