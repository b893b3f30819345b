"""Commits during a rebalance: delayed by the coordinator, then refused."""

import pytest
from confluent_kafka import KafkaError

from connectors.kafka import consumer as module
from core.records import Batch, Record
from core.settings import WriterSettings
from delivery.credits import Credits
from tests.connectors.kafka.fake_client import FakeClient, open_fake


class _Member:
    """A consumer over the fake client that polls once a second and acks each batch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = [1_000.0]
        self.client = FakeClient(self._now)
        limits = WriterSettings(max_batch_records=10, max_batch_delay_ms=1)
        self.credits = Credits(tickets=25, bytes_=10**9)
        self.consumer = open_fake(monkeypatch, self.client, limits=limits, credits_=self.credits)
        while (batch := self.poll()) is None:
            pass
        self.ack(batch)

    def poll(self) -> Batch[Record] | None:
        self._now[0] += 1
        return self.consumer.poll()

    def ack(self, batch: Batch[Record] | None) -> None:
        assert batch is not None
        self.consumer.ack(batch.receipt)

    def read(self, polls: int) -> None:
        for _ in range(polls):
            self.ack(self.poll())


@pytest.fixture
def member(monkeypatch: pytest.MonkeyPatch) -> _Member:
    """A member that has read a batch and committed nothing."""
    return _Member(monkeypatch)


def test_one_commit_is_in_flight_at_a_time(member: _Member) -> None:
    """While a commit is unanswered no other is sent."""
    member.client.holds = True
    member.read(10)
    assert member.client.commits == 1
    member.client.holds = False
    member.read(1)  # the answer
    member.read(1)
    assert member.client.commits == 2
    assert member.client.committed == 120


def test_a_commit_refused_by_a_rebalance_is_retried(member: _Member, caplog: pytest.LogCaptureFixture) -> None:
    """A commit refused by a rebalance is retried at the next interval, without a warning."""
    member.client.refusals = [KafkaError.ILLEGAL_GENERATION]
    member.read(1)
    assert member.client.committed == 0
    member.read(1)
    assert member.client.committed > 0
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_another_refusal_is_a_warning(member: _Member, caplog: pytest.LogCaptureFixture) -> None:
    """Any other refusal logs a warning, and the commit is retried."""
    member.client.refusals = [KafkaError.GROUP_AUTHORIZATION_FAILED]
    member.read(3)
    assert "commit refused" in caplog.text
    assert member.client.committed > 0


@pytest.mark.parametrize(
    "code", [KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.STALE_MEMBER_EPOCH]
)
def test_the_last_commit_outlasts_a_rebalance(member: _Member, code: int, caplog: pytest.LogCaptureFixture) -> None:
    """The last commit is retried during a rebalance, so that nothing is read again."""
    member.client.refusals = [code] * 3
    member.consumer.close()
    assert member.client.committed == 10
    assert "last commit failed" not in caplog.text


def test_a_late_refusal_is_retried_once_more(member: _Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal that a rebalance delayed for more than half of the timeout is retried: the rebalance is over."""
    monkeypatch.setattr(module, "_ANSWER_S", 2.0)
    member.client.refusals, member.client.delays = [KafkaError.ILLEGAL_GENERATION], [1.2]
    member.consumer.close()
    assert member.client.committed == 10
    assert member.client.leaves == 1


def test_a_revoked_partition_is_committed_first(member: _Member) -> None:
    """A revoked partition is committed without waiting, even while another commit is in flight."""
    member.client.holds = True
    member.read(1)
    member.client.revoke()
    assert member.client.commits == 2
    assert member.client.unanswered[-1][0].offset == 20
    assert not member.client.held


def test_the_last_commit_of_an_evicted_member_is_not_retried(member: _Member, caplog: pytest.LogCaptureFixture) -> None:
    """An evicted member doesn't retry its last commit: another member owns its partitions."""
    member.client.refusals = [KafkaError.UNKNOWN_MEMBER_ID]
    member.consumer.close()
    assert member.client.committed == 0
    assert "last commit failed" in caplog.text


def test_a_lasting_refusal_leaves_time_to_leave_the_group(member: _Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last commit keeps being refused, the member still leaves the group in time."""
    monkeypatch.setattr(module, "_ANSWER_S", 1.0)
    member.client.refusals = [KafkaError.REBALANCE_IN_PROGRESS] * 1_000
    member.consumer.close()
    assert member.client.leaves == 1
    assert not member.consumer.hangs
    assert 2 <= member.client.commits < 20


def test_a_commit_that_cannot_be_sent_is_retried(member: _Member) -> None:
    """A commit that can't be sent doesn't count as in flight, and is retried."""
    member.client.broken = True
    member.read(3)
    member.client.broken = False
    member.read(2)
    assert member.client.committed > 0


def test_the_next_commit_waits_for_all_in_flight(member: _Member) -> None:
    """After a regular commit and one of a revoked partition, the next is sent when both are answered."""
    member.client.holds = True
    member.read(1)
    member.client.revoke()
    member.client.assign()
    member.client.answer_first()
    member.read(3)
    assert member.client.commits == 2
    member.client.holds = False
    member.read(2)
    assert member.client.commits > 2


def test_an_offset_that_was_put_back_is_committed_again(member: _Member) -> None:
    """After a late commit of the last owner the offset is committed again, although it hasn't moved."""
    member.read(6)
    member.credits.take(25, 0)  # no credits: nothing more is read
    for _ in range(3):
        member.poll()
    reached = member.client.committed
    assert reached == 70
    member.client.committed = 3
    for _ in range(7):
        member.poll()
    assert member.client.committed == reached
