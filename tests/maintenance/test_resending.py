"""Tickets of a store are sent again."""

from collections.abc import Sequence

from connectors.kafka.producer import Outgoing
from core.contract import record_key
from core.errors import RefusedError
from core.ticket_store import OutboxEvent
from maintenance.resending import Resent, resend


class FakeSender:
    """Refuses tickets whose value says so."""

    def __init__(self) -> None:
        self.sent: list[Sequence[Outgoing]] = []

    def offer(self, records: Sequence[Outgoing]) -> dict[int, RefusedError]:
        self.sent.append(records)
        return {place: RefusedError("too large") for place, record in enumerate(records) if record.value == b"large"}


def _version(number: int, value: bytes = b"{}") -> OutboxEvent:
    return OutboxEvent(row_id="", tenant_id="acme", ticket_id=f"T-{number}", version=3, updated_ms=number, value=value)


def test_each_ticket_is_sent_under_its_key() -> None:
    """Records have the key that the outbox's relay gives them, so a ticket's events stay in one partition."""
    sender = FakeSender()
    assert resend([_version(1)], sender, "raw") == Resent(1, 0)
    ((record,),) = sender.sent
    assert (record.topic, record.key, record.value) == ("raw", record_key("acme", "T-1"), b"{}")


def test_many_are_sent_in_parts_and_refusals_are_counted() -> None:
    """A ticket that the topic refuses holds up no other, and progress counts every ticket."""
    sender = FakeSender()
    seen: list[int] = []
    versions = [_version(number, b"large" if number == 250 else b"{}") for number in range(401)]
    assert resend(iter(versions), sender, "raw", advance=seen.append) == Resent(400, 1)
    assert [len(batch) for batch in sender.sent] == seen == [200, 200, 1]
