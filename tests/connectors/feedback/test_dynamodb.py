"""Faults of DynamoDB under the feedback store: outages, throttling, and concurrent votes."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from connectors.dynamodb import Client
from connectors.dynamodb_tables import Tables
from connectors.feedback import dynamodb as module
from connectors.feedback.dynamodb import DynamoFeedback, open_dynamo_feedback
from connectors.feedback.tables import FEEDBACK, TTL, answer_key
from core.errors import ConfigError, TransientError, UnavailableError
from core.feedback import ANSWER_DAYS, Votes
from tests.connectors.feedback.stores import NOW_S, create_tables, dynamo_feedback, given, verdict
from tests.rigs.dynamodb import REGION, FaultyClient, dynamodb, refusal

_OUT = EndpointConnectionError(endpoint_url="https://dynamodb")
_LOST = ReadTimeoutError(endpoint_url="https://dynamodb")


@pytest.fixture(scope="module")
def _dynamodb() -> Iterator[Client]:
    with dynamodb() as opened:
        yield opened


@pytest.fixture
def client(_dynamodb: Client) -> FaultyClient:
    return FaultyClient(_dynamodb)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def tables(client: FaultyClient, waits: list[float]) -> Tables:
    made = create_tables(client, sleep=waits.append)
    client.calls = 0
    return made


@pytest.fixture
def store(tables: Tables) -> DynamoFeedback:
    return dynamo_feedback(tables)


def calls_of(store: DynamoFeedback) -> list[Callable[[], object]]:
    """A call of each method that a request makes."""
    return [
        lambda: store.remember(given()),
        lambda: store.answer("acme", "a1"),
        lambda: store.vote(verdict(given(), "sent")),
        lambda: store.votes("acme", ["1"]),
    ]


@pytest.mark.parametrize("fault", [refusal("ThrottlingException"), refusal("InternalServerError", status=500), _OUT])
def test_an_outage_is_transient(tables: Tables, client: FaultyClient, fault: Exception) -> None:
    """Throttling and faults of the server or the network raise TransientError in every method."""
    store = dynamo_feedback(tables)
    others: list[Callable[[], object]] = [
        lambda: store.unsent(9),
        lambda: store.mark_sent(["x"]),
        lambda: store.lease("a", now_ms=0, until_ms=1),
        lambda: list(store.all()),
    ]
    for call in (*calls_of(store), *others):
        client.faults = [fault]
        with pytest.raises(TransientError, match="DynamoDB: "):
            call()
        store = dynamo_feedback(tables)  # its circuit is closed


def test_an_outage_is_waited_for_three_times(tables: Tables, client: FaultyClient) -> None:
    """After three failures requests are refused without a call, until a probe succeeds."""
    now = [100.0]
    store = dynamo_feedback(tables, monotonic=lambda: now[0])
    client.faults = [_OUT] * 99
    for _ in range(3):
        with pytest.raises(TransientError):
            store.votes("acme", ["1"])
    calls = client.calls
    for call in calls_of(store):
        with pytest.raises(TransientError, match="does not answer at present") as caught:
            call()
        assert caught.value.retry_after_s
    assert (client.calls, store.state) == (calls, "open")
    client.faults = []
    now[0] += 60
    store.vote(verdict(given(), "sent"))
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}
    assert store.state == "closed"


def test_throttling_is_retried_and_opens_no_circuit(tables: Tables, client: FaultyClient, waits: list[float]) -> None:
    """A throttled transaction is retried after waits; lasting throttling is an outage that others still probe."""
    store = dynamo_feedback(tables)
    throttled = refusal("TransactionCanceledException", "None", "ThrottlingError")
    real = client.real.transact_write_items
    answers = iter([throttled, refusal("TransactionCanceledException", "TransactionConflict", "None")])

    def transact(**request: Any) -> Any:
        fault = next(answers, None)
        if fault is not None:
            raise fault
        return real(**request)

    client.replaced["transact_write_items"] = transact
    store.vote(verdict(given(), "sent"))
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}
    assert len(waits) == 2
    answers = iter([throttled] * 99)
    for number in range(4):
        with pytest.raises(TransientError, match="throttled") as caught:
            store.vote(verdict(given(), "discarded", at_ms=2 + number))
        assert caught.value.overload
    assert len(waits) == 2 + 4 * 5
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}


@pytest.mark.parametrize("answers", [("a1", "a1"), ("a1", "a2")])
@pytest.mark.parametrize("tickets", ["", "1"])
def test_votes_that_meet_are_ordered(
    tables: Tables, client: FaultyClient, answers: tuple[str, str], tickets: str
) -> None:
    """If a vote is written between the read and the write of another, both count, in the order of their times."""
    for number, (first_ms, second_ms) in enumerate([(1, 2), (2, 1)]):
        store = dynamo_feedback(tables)
        first, second = (
            given(f"{one}-{number}", question=f"q{number}", tickets=tickets and f"{tickets}{number}"[-1])
            for one in answers
        )
        real, met = client.real.transact_write_items, iter([True])

        def transact(
            *,
            real: Any = real,
            met: Iterator[bool] = met,
            second: Any = second,
            second_ms: int = second_ms,
            **request: Any,
        ) -> Any:
            if next(met, False):
                dynamo_feedback(tables).vote(verdict(second, "discarded", at_ms=second_ms))
            return real(**request)

        client.replaced["transact_write_items"] = transact
        store.vote(verdict(first, "sent", at_ms=first_ms))
        client.replaced = {}
        last = "sent" if first_ms > second_ms else "discarded"
        kept = [one for one in store.all() if one.answer.answer_id.endswith(f"-{number}")]
        assert [one.verdict for one in kept] == ([last] if first == second else ["sent", "discarded"])
        for ticket in first.tickets:
            assert store.votes("acme", [ticket]) == {ticket: Votes(**{last: 1})}


def test_a_vote_whose_response_was_lost_counts_once(tables: Tables, client: FaultyClient) -> None:
    """A vote that was written although it failed is an outage for its caller, who may repeat it."""
    store = dynamo_feedback(tables)
    real = client.real.transact_write_items

    def lost(**request: Any) -> Any:
        real(**request)
        raise _LOST

    client.replaced["transact_write_items"] = lost
    with pytest.raises(TransientError):
        store.vote(verdict(given(), "sent"))
    client.replaced = {}
    store.vote(verdict(given(), "sent", at_ms=2))
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}
    assert len(list(store.all())) == 1


def test_what_is_decided_by_is_read_consistently(store: DynamoFeedback, client: FaultyClient) -> None:
    """Answers, votes and unsent verdicts are read consistently, so a vote counts as soon as it is given."""
    requests: list[dict[str, Any]] = []

    def noting(call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(**request: Any) -> Any:
            requests.extend(request.get("RequestItems", {"": request}).values())
            return call(**request)

        return noted

    for name in ("get_item", "query", "batch_get_item"):
        client.replaced[name] = noting(getattr(client.real, name))
    for call in calls_of(store):
        call()
    store.unsent(9)
    assert [one["ConsistentRead"] for one in requests] == [True] * 4


def test_dynamodb_removes_answers_when_they_have_expired(store: DynamoFeedback, client: FaultyClient) -> None:
    """Answers have the attribute of the TTL, in whole seconds, not before their last day is over."""
    store.remember(given())
    name = store._quick.name(FEEDBACK)
    item = client.get_item(TableName=name, Key=answer_key("acme", "a1"))["Item"]
    assert item[TTL[FEEDBACK]] == {"N": str(int(NOW_S) + ANSWER_DAYS * 86_400)}


def test_a_missing_table_is_named(client: FaultyClient) -> None:
    """A start without tables raises one line that names the missing one and the setting."""
    assert client.calls == 0
    with pytest.raises(UnavailableError, match=r"create Feedback with .* TICKETS_RAG__TABLE_PREFIX"):
        open_dynamo_feedback(prefix="none-", region=REGION)


def test_a_missing_region_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start without a region raises one line that names the setting."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="TICKETS_RAG__AWS_REGION"):
        open_dynamo_feedback(prefix="", region=None)


def test_an_outage_at_the_start_is_no_error(
    tables: Tables, client: FaultyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store opens during an outage, because searches need no votes, and works after it."""
    monkeypatch.setattr(module, "open_tables", lambda **_settings: (tables, tables))
    client.faults = [_OUT]
    with closing(open_dynamo_feedback(prefix="", region=None)) as store:
        assert client.faults == []
        store.vote(verdict(given(), "sent"))
        assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}
