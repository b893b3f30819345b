"""Feedback on answers over HTTP, and cached answers."""

import threading
from collections.abc import Callable, Generator

import pytest
from fastapi.testclient import TestClient

from answers.evidence import Evidence
from answers.writer import Asked, Draft, Written
from connectors.cache.memory import MemoryCache
from core.feedback import Votes
from core.language_model import ModelError
from tests.services.rag.asking import SEARCH, ask, text_of, vote
from tests.services.rag.world import RagWorld, ticket


def test_feedback_moves_the_tickets_that_an_answer_cites(world: RagWorld) -> None:
    """A ticket whose answers were discarded ranks lower, says why, and the last verdict of an agent counts."""
    with world.client() as client:
        answer = ask(client)
        assert vote(client, answer["answer_id"], verdict="sent") == 204
        assert world.feedback.votes(world.acme, ["T-1", "T-2"]) == {"T-1": Votes(sent=1)}
        assert vote(client, answer["answer_id"], verdict="discarded", reason="Mail ada@example.com says no.") == 204
        assert world.feedback.votes(world.acme, ["T-1"]) == {"T-1": Votes(discarded=1)}
        hits = client.post(SEARCH, json={"question": "SYNC-4711"}).json()["hits"]
        factors = [one for hit in hits if hit["ticket_id"] == "T-1" for one in hit["factors"]]
        found = [(one["value"] < 1, one["reason"]) for one in factors if one["name"] == "useful"]
        assert found == [(True, "answers that cite it: 1 discarded")]
    with world.client(user="u-2") as other:
        assert vote(other, answer["answer_id"], verdict="edited", text="Write to bob@example.com.") == 204
    assert world.feedback.votes(world.acme, ["T-1"]) == {"T-1": Votes(edited=1, discarded=1)}
    kept = list(world.feedback.all())
    assert [one.reason for one in kept] == ["Mail [EMAIL] says no.", None]
    assert kept[1].text == "Write to [EMAIL]."
    assert "u-1" not in repr(kept)
    assert world.metric("tickets_feedback_total", verdict="edited") == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"verdict": "liked"}, 422),
        ({"verdict": "sent", "text": "a"}, 422),
        ({"verdict": "edited", "reason": "a"}, 422),
        ({"verdict": "sent", "user": "u-2"}, 422),
    ],
)
def test_wrong_feedback_changes_nothing(world: RagWorld, client: TestClient, body: dict[str, str], status: int) -> None:
    """Wrong feedback gets a problem document, and no vote is stored."""
    answer = ask(client)
    assert vote(client, answer["answer_id"], **body) == status
    assert list(world.feedback.all()) == []


def test_feedback_on_an_unknown_answer_is_a_404(world: RagWorld, client: TestClient) -> None:
    """Feedback on an unknown answer or on another tenant's answer gets a 404."""
    answer = ask(client)
    with world.client(tenant="globex") as other:
        assert vote(other, answer["answer_id"], verdict="discarded") == 404
    assert vote(client, "0" * 32, verdict="sent") == 404
    assert vote(client, "no-id", verdict="sent") == 422
    assert list(world.feedback.all()) == []


class _Counting:
    """A writer that counts its answers, and may fail."""

    name = "counting"

    def __init__(self) -> None:
        self.asked = 0
        self.fault: ModelError | None = None
        self.release: threading.Event | None = None

    def write(self, asked: Asked, evidence: Evidence, stop: threading.Event) -> Generator[Written, None, None]:
        del asked
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        yield Draft(evidence.sources[0].text, (1,))
        if self.release is not None:
            while not (self.release.is_set() or stop.wait(0.01)):
                pass


def test_the_same_question_is_answered_once_until_a_source_changes(world: RagWorld) -> None:
    """A cached answer has a new id, accepts feedback, and is never served after a change of its source."""
    writer = _Counting()
    with world.client(world.answering(writers=[writer])) as client:
        first, second = ask(client), ask(client)
        assert (first["sentences"], writer.asked) == (second["sentences"], 1)
        assert first["answer_id"] != second["answer_id"]
        assert vote(client, second["answer_id"], verdict="sent") == 204
        world.write(ticket("T-1", "The lease ran out.", "Set lease_ms to 7777 and restart.", version=2))
        assert "7777" in text_of(ask(client))
        assert writer.asked == 2
    with world.client(world.answering(writers=[writer]), tenant="globex") as other:
        assert "7777" not in ask(other)["sentences"]


class _Damaged(MemoryCache):
    """A cache whose values come back changed."""

    def __init__(self) -> None:
        super().__init__(max_bytes=10**7)
        self.change: Callable[[bytes], bytes] = bytes

    def get(self, key: str) -> bytes | None:
        value = super().get(key)
        return None if value is None else self.change(value)


def test_a_damaged_cached_answer_is_written_again(world: RagWorld) -> None:
    """A cached value that is cut, empty, of another version or not UTF-8 is a miss, not a failure."""
    cache = _Damaged()
    with world.client(world.answering(cache=cache)) as client:
        text = text_of(ask(client))
        changes: list[Callable[[bytes], bytes]] = [
            lambda value: value[:-9],
            lambda _value: b"[]",
            lambda value: value.rpartition(b",{")[0] + b"]",
            lambda value: value.replace(b"lease", b"l\xffase"),
            lambda value: value.replace(b"sentence", b"phrase"),
        ]
        for change in changes:
            cache.change = change
            assert text_of(ask(client)) == text


def test_a_degraded_answer_is_not_cached(world: RagWorld) -> None:
    """After a degraded answer, which says that it is degraded, the same question calls the model again."""
    writer = _Counting()
    writer.fault = ModelError("throttled", kind="throttled")
    with world.client(world.answering(writers=[writer])) as client:
        answer = ask(client)
        assert (answer["usage"]["model"], bool(answer["usage"]["degraded"])) == ("extractive", True)
        writer.fault = None
        assert ask(client)["usage"]["model"] == "counting"
