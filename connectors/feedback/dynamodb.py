"""Implements `core.feedback.FeedbackStore` in DynamoDB, for several processes. `tables` has its items."""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Final, get_args

import msgspec

from connectors.dynamodb import Item
from connectors.dynamodb_tables import Tables, failed_reasons, may_retry
from connectors.feedback.tables import (
    FEEDBACK,
    LEASE,
    OUTBOX,
    VERDICTS,
    answer_item,
    answer_key,
    counts_key,
    open_tables,
    outbox_item,
    outbox_key,
    ticket_of,
    unpacked,
    verdict_item,
    verdict_key,
    vote_item,
    vote_key,
)
from core.errors import FatalError, TransientError, UnavailableError
from core.feedback import ANSWER_DAYS, Feedback, GivenAnswer, Unsent, Verdict, Votes
from delivery.backoff import Backoff
from delivery.call_circuit import CallCircuit
from delivery.circuit import CircuitState

logger: Final = logging.getLogger("ticketstream.feedback")

_DAY_MS: Final = 86_400_000
#: The number of items in a page of an export.
_PAGE: Final = 500
_MAX_BACKOFF_S: Final = 10.0
#: A call takes less with its attempts.
_PROBE_S: Final = 10.0
_FAILED_CONDITION: Final = "ConditionalCheckFailed"

_ANSWER: Final = msgspec.json.Decoder(GivenAnswer)
_FEEDBACK: Final = msgspec.json.Decoder(Feedback)


class DynamoFeedback:
    """See `core.feedback.FeedbackStore`. After a few failed calls requests don't wait for others until one succeeds."""

    def __init__(self, quick: Tables, patient: Tables, *, circuit: CallCircuit, clock: Callable[[], float]) -> None:
        """A store.

        Args:
            quick: a client with short timeouts, for calls that a search or an answer waits for.
            patient: a client for all other calls.
            circuit: guards the calls of requests.
            clock: seconds since the epoch.
        """
        self._quick = quick
        self._patient = patient
        self._circuit = circuit
        self._clock = clock

    @property
    def state(self) -> CircuitState:
        """Closed, half-open or open."""
        return self._circuit.state

    def remember(self, answer: GivenAnswer) -> None:
        """See `FeedbackStore`."""
        with self._guarded("keeping an answer"), self._quick.translated("keeping an answer"):
            self._quick.client.put_item(TableName=self._quick.name(FEEDBACK), Item=answer_item(answer))

    def answer(self, tenant_id: str, answer_id: str) -> GivenAnswer | None:
        """See `FeedbackStore`."""
        with self._guarded("reading an answer"):
            item = self._patient.read(FEEDBACK, answer_key(tenant_id, answer_id), "reading an answer")
        found = None if item is None else _ANSWER.decode(unpacked(item))
        oldest_ms = int(self._clock() * 1000) - ANSWER_DAYS * _DAY_MS
        return None if found is None or found.at_ms < oldest_ms else found

    def vote(self, feedback: Feedback) -> None:
        """See `FeedbackStore`. An answer cites at most 49 tickets: a transaction has 100 items."""
        self._patient.retried(lambda: self._vote(feedback), "keeping feedback")

    def _vote(self, feedback: Feedback) -> bool:
        """Write a verdict's changes. False if one of the items has changed since it was read."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for DynamoDB only

        doing = "keeping feedback"
        tickets = dict.fromkeys(feedback.answer.tickets)
        keys = [verdict_key(feedback), *(vote_key(feedback, one) for one in tickets)]
        with self._guarded(doing):
            kept = {_place(item): item for item in self._patient.read_many(FEEDBACK, keys, doing)}
            changes = self._verdict(feedback, kept.get(_place(keys[0])))
            for ticket_id, key in zip(tickets, keys[1:], strict=True):
                changes += self._ticket(feedback, ticket_id, kept.get(_place(key)))
            if not changes:
                return True
            try:
                with self._patient.translated(doing):
                    self._patient.client.transact_write_items(TransactItems=changes)
            except ClientError as error:
                reasons = failed_reasons(error)
                if _FAILED_CONDITION in reasons or may_retry(reasons):
                    return False
                raise FatalError(f"DynamoDB: {doing}: {', '.join(reasons)}") from None
        return True

    def _verdict(self, feedback: Feedback, kept: Item | None) -> list[Item]:
        """The changes of the verdict and the outbox; empty if a later verdict exists."""
        if kept is not None and int(kept["at_ms"]["N"]) > feedback.at_ms:
            return []
        version = 1 if kept is None else int(kept["version"]["N"]) + 1
        put = self._put(verdict_item(feedback, version)) | _if_unchanged(kept, "version")
        return [{"Put": put}, {"Put": self._put(outbox_item(feedback, version))}]

    def _ticket(self, feedback: Feedback, ticket_id: str, kept: Item | None) -> list[Item]:
        """The changes of the vote on a ticket and of its counts; empty if a later vote exists."""
        if kept is not None and int(kept["at_ms"]["N"]) > feedback.at_ms:
            return []
        put = self._put(vote_item(feedback, ticket_id)) | _if_unchanged(kept, "at_ms", "verdict")
        before = None if kept is None else kept["verdict"]["S"]
        if before == feedback.verdict:
            return [{"Put": put}]
        counts: Item = {
            "TableName": self._patient.name(FEEDBACK),
            "Key": counts_key(feedback.answer.tenant_id, ticket_id),
            "UpdateExpression": "ADD #new :one",
            "ExpressionAttributeNames": {"#new": feedback.verdict},
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        if before is not None:
            counts["UpdateExpression"] += ", #old :less"
            counts["ExpressionAttributeNames"]["#old"] = before
            counts["ExpressionAttributeValues"][":less"] = {"N": "-1"}
        return [{"Put": put}, {"Update": counts}]

    def _put(self, item: Item) -> Item:
        return {"TableName": self._patient.name(FEEDBACK), "Item": item}

    def votes(self, tenant_id: str, tickets: Collection[str]) -> Mapping[str, Votes]:
        """See `FeedbackStore`."""
        keys = [counts_key(tenant_id, one) for one in dict.fromkeys(tickets)]
        with self._guarded("reading votes"):
            items = self._quick.read_many(FEEDBACK, keys, "reading votes")
        found = {ticket_of(item): _votes(item) for item in items}
        return {ticket_id: votes for ticket_id, votes in found.items() if votes != Votes()}

    def unsent(self, limit: int) -> Sequence[Unsent]:
        """See `FeedbackStore`. Feedback that arrives late may be read after a later one."""
        found: list[Unsent] = []
        for item in self._query(OUTBOX, limit, "reading unsent feedback"):
            found.append(Unsent(item["sk"]["S"], _FEEDBACK.decode(unpacked(item))))
            if len(found) == limit:
                break
        return found

    def mark_sent(self, row_ids: Collection[str]) -> None:
        """See `FeedbackStore`."""
        self._patient.delete_many(FEEDBACK, [outbox_key(one) for one in row_ids], "marking feedback as sent")

    def lease(self, owner: str, *, now_ms: int, until_ms: int) -> bool:
        """See `FeedbackStore`."""
        return self._patient.lease(FEEDBACK, LEASE, owner, now_ms=now_ms, until_ms=until_ms)

    def release(self, owner: str) -> None:
        """See `FeedbackStore`."""
        self._patient.release(FEEDBACK, LEASE, owner)

    def all(self, tenant_id: str | None = None) -> Iterator[Feedback]:
        """See `FeedbackStore`. Without a tenant the whole table is read."""
        doing = "exporting feedback"
        items = self._scan(doing) if tenant_id is None else self._query(f"{VERDICTS}{tenant_id}", _PAGE, doing)
        for item in items:
            yield _FEEDBACK.decode(unpacked(item))

    def _scan(self, doing: str) -> Iterator[Item]:
        request = {
            "FilterExpression": "begins_with(pk, :verdicts)",
            "ExpressionAttributeValues": {":verdicts": {"S": VERDICTS}},
        }
        return self._pages(self._patient.client.scan, request, _PAGE, doing)

    def _query(self, pk: str, limit: int, doing: str) -> Iterator[Item]:
        request = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}
        return self._pages(self._patient.client.query, request, limit, doing)

    def _pages(self, call: Callable[..., Item], request: Item, limit: int, doing: str) -> Iterator[Item]:
        request |= {"TableName": self._patient.name(FEEDBACK), "ConsistentRead": True, "Limit": limit}
        while True:
            with self._patient.translated(doing):
                page = call(**request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def close(self) -> None:
        """See `FeedbackStore`: there is nothing to release."""

    def ping(self) -> None:
        """Read from the table, and raise if it can't be read.

        Raises:
            TransientError: DynamoDB is unavailable.
            FatalError: the table is missing, or DynamoDB refuses.
        """
        self._patient.read(FEEDBACK, LEASE, "reading feedback")

    @contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        if not self._circuit.allow():
            raise TransientError(f"DynamoDB: {doing}: it does not answer at present", retry_after_s=1.0)
        try:
            yield
        except TransientError as error:
            if error.overload:
                self._circuit.success()
            else:
                self._circuit.failure()
            raise
        except FatalError:
            self._circuit.success()
            raise
        except BaseException:
            self._circuit.abandoned()
            raise
        else:
            self._circuit.success()


def open_dynamo_feedback(*, prefix: str, region: str | None, clock: Callable[[], float] = time.time) -> DynamoFeedback:
    """The store in the table with this prefix, which exists already. An outage of DynamoDB raises nothing.

    Raises:
        ConfigError: no region is configured.
        UnavailableError: DynamoDB refuses, or the table is missing.
    """
    quick, patient = open_tables(prefix=prefix, region=region)
    backoff = Backoff(cap_s=_MAX_BACKOFF_S, rng=Random())  # noqa: S311 - jitter
    store = DynamoFeedback(quick, patient, circuit=CallCircuit(backoff=backoff, probe_s=_PROBE_S), clock=clock)
    try:
        store.ping()
    except FatalError as error:
        raise UnavailableError(str(error)) from None
    except TransientError as error:
        logger.warning("feedback can't be read yet: %s", error)
    return store


def _place(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _if_unchanged(kept: Item | None, *names: str) -> Item:
    """The condition that an item is as it was read."""
    if kept is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        "ExpressionAttributeValues": {f":{name}": kept[name] for name in names},
    }


def _votes(item: Item) -> Votes:
    return Votes(**{verdict: int(item.get(verdict, {"N": "0"})["N"]) for verdict in get_args(Verdict)})
