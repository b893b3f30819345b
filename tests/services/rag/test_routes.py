"""The RAG service over HTTP: search, similar tickets, answers and roles."""

import pytest
from fastapi.testclient import TestClient

from services.http.problems import MEDIA_TYPE
from services.rag.responses import SearchResult
from tests.services.rag.asking import ANSWERS, SEARCH, STREAM, ask, text_of
from tests.services.rag.world import FIX, NOTE, QUESTION, RagWorld, events_of, ticket


def test_an_answer_cites_the_message_that_solved_the_ticket(client: TestClient) -> None:
    """Each sentence occurs word for word in the source that it cites, which names ticket, message and time."""
    answer = ask(client)
    assert (answer["outcome"], answer["refusal"]) == ("answered", None)
    assert FIX in text_of(answer)
    for sentence in answer["sentences"]:
        for citation in sentence["citations"]:
            source = answer["sources"][citation["source"] - 1]
            assert source["text"][citation["start"] : citation["end"]] == sentence["text"]
            assert source["ticket_id"] == "T-1"
            assert source["message"] > 0
            assert source["message_at"]


def test_a_stream_has_the_same_answer(client: TestClient) -> None:
    """A stream has the events sources, sentence, usage and done, with the data of the JSON answer."""
    whole = ask(client)
    streamed = client.post(ANSWERS, json={"question": QUESTION}, headers=STREAM)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    events = events_of(streamed.text)
    assert [name for name, _ in events] == ["sources", "sentence", "sentence", "usage", "done"]
    assert [fields for name, fields in events if name == "sentence"] == whole["sentences"]
    assert events[0][1]["answer_id"] == events[-1][1]["answer_id"] != whole["answer_id"]


def test_a_question_that_nothing_answers_is_refused(client: TestClient) -> None:
    """Without evidence the outcome is a refusal with its reason, and no sentence."""
    answer = ask(client, "What is the capital of Mongolia?")
    assert (answer["outcome"], answer["sentences"]) == ("refused", [])
    assert answer["refusal"]["reason"] == "nothing_found"
    assert answer["refusal"]["nearest"] == list(range(1, len(answer["sources"]) + 1))
    assert len(answer["sources"]) <= 3


def test_a_ticket_gives_context_and_is_no_source(world: RagWorld, client: TestClient) -> None:
    """A question about a ticket finds tickets similar to it, and the ticket itself, though solved, isn't cited."""
    answer = ask(client, "What solved this last time?", ticket_id="T-2")
    assert FIX in text_of(answer)
    world.write(ticket("T-2", "Do nothing, SYNC-4711 goes away.", version=2))
    again = ask(client, "What solved this last time?", ticket_id="T-2")
    assert "T-2" not in {source["ticket_id"] for source in again["sources"]}
    missing = client.post(ANSWERS, json={"question": "Why?", "ticket_id": "G-1"})
    assert missing.status_code == 404


def test_the_longest_question_may_be_about_a_ticket(client: TestClient) -> None:
    """A question of 10,000 characters leaves no room for the words of its ticket, and is answered all the same."""
    answer = ask(client, f"{QUESTION} ".ljust(10_000, "."), ticket_id="T-2")
    assert "T-2" not in {source["ticket_id"] for source in answer["sources"]}


@pytest.mark.parametrize(("tenant", "elsewhere"), [("acme", "globex"), ("globex", "acme")])
def test_another_tenants_tickets_are_never_seen(world: RagWorld, tenant: str, elsewhere: str) -> None:
    """Each tenant gets its own fix, and no word of the other's from any request, whatever the body says."""
    canaries, tickets = {"acme": "9041", "globex": "GLX-7730"}, {"acme": "T-1", "globex": "G-1"}
    own, other, foreign = canaries[tenant], canaries[elsewhere], tickets[elsewhere]
    with world.client(tenant=tenant) as client:
        asked = [
            client.post(SEARCH, json={"question": "SYNC-4711", "limit": 100}),
            client.post(ANSWERS, json={"question": QUESTION}),
            client.post(ANSWERS, json={"question": QUESTION}, headers=STREAM),
        ]
        assert not [answer.text for answer in asked if other in answer.text or world.tenant(elsewhere) in answer.text]
        assert own in asked[1].text
        assert client.post(SEARCH, json={"question": "SYNC-4711", "tenant_id": "globex"}).status_code == 422
        assert client.get(f"/api/v1/tickets/{foreign}/similar").status_code == 404
        assert client.post(ANSWERS, json={"question": QUESTION, "ticket_id": foreign}).status_code == 404


def test_a_search_explains_its_hits(client: TestClient) -> None:
    """The hits come with reasons, factors and facets, and the model's stamp."""
    answer = client.post(SEARCH, json={"question": "SYNC-4711", "limit": 1})
    SearchResult.model_validate(answer.json(), strict=True)
    found = answer.json()
    assert (found["nothing"], found["model"], found["identifiers"]) == (False, "hashing/1", ["sync-4711"])
    assert found["hits"][0]["why"] in ("words", "both")
    assert sum(found["facets"]["status"].values()) == 4
    filtered = client.post(SEARCH, json={"question": "SYNC-4711", "filters": {"solved": False, "status": ["open"]}})
    assert [hit["ticket_id"] for hit in filtered.json()["hits"]] == ["T-2"]
    later = {"updated_after": "2030-01-01T00:00:00Z"}
    assert client.post(SEARCH, json={"question": "SYNC-4711", "filters": later}).json()["hits"] == []


def test_similar_tickets(client: TestClient) -> None:
    """The most similar ticket comes first, the ticket itself is left out, and an id may contain a slash."""
    found = client.get("/api/v1/tickets/T-1/similar", params={"limit": 2}).json()
    assert found["hits"][0]["ticket_id"] == "T-2"
    assert len(found["hits"]) == 2
    assert client.get("/api/v1/tickets/a%2Fb%20c/similar").status_code == 200
    solved = client.get("/api/v1/tickets/T-1/similar", params={"solved": "true"}).json()
    assert "T-2" not in {hit["ticket_id"] for hit in solved["hits"]}


@pytest.mark.parametrize(("role", "sees"), [("agent", True), ("operator", True), ("service", False)])
def test_internal_notes_are_for_people(world: RagWorld, role: str, sees: bool) -> None:
    """A search by an agent finds internal notes, a search by a program doesn't, and no answer quotes them."""
    with world.client(roles=[role]) as client:
        found = client.post(SEARCH, json={"question": "NOTE-5150"})
        assert ("NOTE-5150" in found.text) is sees
        assert NOTE not in client.post(ANSWERS, json={"question": f"{QUESTION} NOTE-5150 discount"}).text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "question"),
        ({"question": ""}, "question"),
        ({"question": "   "}, "question"),
        ({"question": "x" * 10_001}, "question"),
        ({"question": "why", "limit": 0}, "limit"),
        ({"question": "why", "limit": 101}, "limit"),
        ({"question": "why", "limit": "ten"}, "limit"),
        ({"question": "why", "limit": "5"}, "limit"),
        ({"question": "why", "limit": True}, "limit"),
        ({"question": "why", "plain": "no"}, "plain"),
        ({"question": " " * 301}, "question"),
        ({"question": "why", "filters": {"solved": "yes"}}, "filters.solved"),
        ({"question": "why", "filters": {"updated_after": 1_767_225_600}}, "filters.updated_after"),
        ({"question": "why", "filters": {"updated_after": "1767225600"}}, "filters.updated_after"),
        ({"question": "why", "filters": {"updated_after": "2026-13-01T00:00:00Z"}}, "filters.updated_after"),
        ({"question": "why", "filters": {"updated_after": "9999-12-31T23:59:59-14:00"}}, "filters"),
        ({"question": "why", "filters": {"colour": ["red"]}}, "filters.colour"),
        ({"question": "why", "filters": {"updated_after": "yesterday"}}, "filters.updated_after"),
        ({"question": "why", "filters": {"updated_after": "2026-01-01T00:00:00"}}, "filters.updated_after"),
        ({"question": "solved:maybe why"}, "question"),
        ({"question": "why", "tenant_id": "globex"}, "tenant_id"),
    ],
)
def test_a_wrong_search_names_its_field(client: TestClient, body: dict[str, object], field: str) -> None:
    """A wrong search gets a 422 problem document, which quotes nothing of the question."""
    answer = client.post(SEARCH, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("text/event-stream", True),
        ("text/event-stream, application/json", True),
        ("application/json, text/event-stream", False),
        ("application/json;q=0.5, text/event-stream;q=0.9", True),
        ("text/event-stream; q=0.1, application/json", False),
        ("text/event-stream;q=0", False),
        ("TEXT/*, */*;q=0.1", True),
        ("*/*", False),
        ("image/png", False),
        ("text/event-stream;q=nan", True),
    ],
)
def test_what_accept_prefers_is_sent(client: TestClient, accept: str, streams: bool) -> None:
    """The weights in Accept decide between a stream and a document; of two equal ones the first is sent."""
    answer = client.post(ANSWERS, json={"question": QUESTION}, headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/event-stream") is streams


def test_all_lines_of_accept_count(client: TestClient) -> None:
    """Several Accept headers are one list."""
    lines = [("Accept", "application/json;q=0.5"), ("Accept", "text/event-stream")]
    answer = client.post(ANSWERS, json={"question": QUESTION}, headers=lines)
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_mistake_in_a_streamed_question_is_a_problem_document(client: TestClient) -> None:
    """An error before the first event of a stream is a problem document with its own status."""
    for question, status in (("solved:maybe why", 422), ("  ", 422)):
        answer = client.post(ANSWERS, json={"question": question}, headers=STREAM)
        assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)


def test_who_may_ask(world: RagWorld) -> None:
    """Every route answers 401 without a token, and an unknown role gives no permission."""
    with world.client() as client:
        for method, path in (("POST", SEARCH), ("POST", ANSWERS), ("GET", "/api/v1/tickets/T-1/similar")):
            assert (
                client.request(method, path, json={"question": "a"}, headers={"Authorization": ""}).status_code == 401
            )
    with world.client(roles=["visitor"]) as client:
        assert client.post(SEARCH, json={"question": "a"}).status_code == 403
