"""Several tasks of the service share their votes in DynamoDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import EndpointConnectionError
from fastapi.testclient import TestClient

from connectors.feedback.dynamodb import DynamoFeedback
from services.http.problems import MEDIA_TYPE
from tests.connectors.feedback.stores import create_tables, dynamo_feedback
from tests.rigs.dynamodb import FaultyClient, dynamodb
from tests.services.rag.asking import SEARCH, ask, vote
from tests.services.rag.world import RagWorld

_OUT = EndpointConnectionError(endpoint_url="https://dynamodb")


@contextmanager
def tables() -> Iterator[tuple[FaultyClient, DynamoFeedback]]:
    """A store of feedback in DynamoDB, and its client."""
    with dynamodb() as real:
        client = FaultyClient(real)
        yield client, dynamo_feedback(create_tables(client), clock=lambda: 0.0)


def useful(client: TestClient) -> list[str]:
    """The reasons of T-1's usefulness factor in a search."""
    found: dict[str, Any] = client.post(SEARCH, json={"question": "SYNC-4711"}).json()
    factors = [one for hit in found["hits"] if hit["ticket_id"] == "T-1" for one in hit["factors"]]
    return [one["reason"].removeprefix("answers that cite it: ") for one in factors if one["name"] == "useful"]


def test_tasks_share_votes(world: RagWorld) -> None:
    """A vote in one task on another task's answer counts in both, in the first at once, and only once per agent."""
    with (
        tables() as (_, store),
        # The first task's votes stay fresh for ever, so that it sees only what it is told.
        world.client(world.answering(feedback=store, fresh_s=1e9)) as first,
        world.client(world.answering(feedback=store)) as second,
    ):
        assert useful(first) == useful(second) == []
        answer = ask(second)
        assert vote(first, answer["answer_id"], verdict="sent") == 204
        assert useful(first) == useful(second) == ["1 sent"]
        assert vote(second, answer["answer_id"], verdict="discarded") == 204
        assert (useful(first), useful(second)) == (["1 sent"], ["1 discarded"])


def test_an_outage_of_the_table_leaves_searches_as_they_were(world: RagWorld) -> None:
    """In an outage searches rank by the last known votes, questions are answered, and a vote gets a 503."""
    with tables() as (client, store), world.client(world.answering(feedback=store)) as task:
        answer = ask(task)
        vote(task, answer["answer_id"], verdict="sent")
        assert useful(task) == ["1 sent"]
        client.faults = [_OUT] * 10_000
        for _ in range(4):
            assert useful(task) == ["1 sent"]
            assert ask(task)["outcome"] == "answered"
        path = f"/api/v1/answers/{answer['answer_id']}/feedback"
        refused = task.post(path, json={"verdict": "discarded"})
        assert (refused.status_code, refused.headers["content-type"]) == (503, MEDIA_TYPE)
        assert refused.headers["Retry-After"]
        assert 10_000 - len(client.faults) < 10  # most calls were not even attempted
