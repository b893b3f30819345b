"""Commits in the middle of a rebalance: held up with everything that the coordinator is asked, then refused."""

import pytest
from confluent_kafka import KafkaError

from connectors.kafka import consumer as module
from core.records import Batch, Record
from core.settings import WriterSettings
from delivery.credits import Credits
from tests.connectors.kafka.fake_client import FakeClient, open_fake


class _Member:
    """A consumer over the fake client; a poll is a second after the one before, and its batch is acked."""

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
    """One that has read a batch and committed nothing."""
    return _Member(monkeypatch)


def test_one_commit_is_under_way_at_a_time(member: _Member) -> None:
    """Ten more behind it would all be refused, and the last refusal would cost the partitions."""
    member.client.holds = True
    member.read(10)
    assert member.client.commits == 1
    member.client.holds = False
    member.read(1)  # the answer
    member.read(1)
    assert member.client.commits == 2
    assert member.client.committed == 120


def test_a_commit_that_a_rebalance_held_up_is_made_again(member: _Member, caplog: pytest.LogCaptureFixture) -> None:
    """At the next interval, and it is no warning: the rebalance is in the log."""
    member.client.refusals = [KafkaError.ILLEGAL_GENERATION]
    member.read(1)
    assert member.client.committed == 0
    member.read(1)
    assert member.client.committed > 0
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_another_refusal_is_a_warning(member: _Member, caplog: pytest.LogCaptureFixture) -> None:
    """And the commit is made again."""
    member.client.refusals = [KafkaError.GROUP_AUTHORIZATION_FAILED]
    member.read(3)
    assert "commit refused" in caplog.text
    assert member.client.committed > 0


@pytest.mark.parametrize(
    "code", [KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.STALE_MEMBER_EPOCH]
)
def test_the_last_commit_outlasts_a_rebalance(member: _Member, code: int, caplog: pytest.LogCaptureFixture) -> None:
    """An orderly end in its middle repeats nothing."""
    member.client.refusals = [code] * 3
    member.consumer.close()
    assert member.client.committed == 10
    assert "last commit failed" not in caplog.text


def test_a_refusal_that_a_rebalance_held_up_for_long_is_the_last(
    member: _Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rebalance has ended when it comes: the next try is made, however much of the time is gone."""
    monkeypatch.setattr(module, "_ANSWER_S", 2.0)
    member.client.refusals, member.client.delays = [KafkaError.ILLEGAL_GENERATION], [1.2]
    member.consumer.close()
    assert member.client.committed == 10
    assert member.client.farewells == 1


def test_what_is_given_away_is_committed_first(member: _Member) -> None:
    """Beside a commit that is under way, and without waiting: no poll's thread is free to be answered."""
    member.client.holds = True
    member.read(1)
    member.client.revoke()
    assert member.client.commits == 2
    assert member.client.unanswered[-1][0].offset == 20
    assert not member.client.held


def test_the_last_commit_of_one_that_was_put_out_is_not_insisted_on(
    member: _Member, caplog: pytest.LogCaptureFixture
) -> None:
    """Its partitions are another's."""
    member.client.refusals = [KafkaError.UNKNOWN_MEMBER_ID]
    member.consumer.close()
    assert member.client.committed == 0
    assert "last commit failed" in caplog.text


def test_a_refusal_that_lasts_leaves_time_for_the_farewell(member: _Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves without its last commit, and the others needn't wait for its session to end."""
    monkeypatch.setattr(module, "_ANSWER_S", 1.0)
    member.client.refusals = [KafkaError.REBALANCE_IN_PROGRESS] * 1_000
    member.consumer.close()
    assert member.client.farewells == 1
    assert not member.consumer.hangs
    assert 2 <= member.client.commits < 20


def test_a_commit_that_cannot_be_sent_is_sent_later(member: _Member) -> None:
    """None is under way then."""
    member.client.broken = True
    member.read(3)
    member.client.broken = False
    member.read(2)
    assert member.client.committed > 0


def test_all_that_is_under_way_is_waited_for(member: _Member) -> None:
    """A commit at its time and one of a partition given away: the next goes when both are answered."""
    member.client.holds = True
    member.read(1)
    member.client.revoke()
    member.client.give()
    member.client.answer_first()
    member.read(3)
    assert member.client.commits == 2
    member.client.holds = False
    member.read(2)
    assert member.client.commits > 2


def test_an_offset_that_was_put_back_is_put_right(member: _Member) -> None:
    """A late commit of the partition's last owner: nothing new has come, and the offset is committed again."""
    member.read(6)
    member.credits.take(25, 0)  # no room: nothing more is read
    for _ in range(3):
        member.poll()
    reached = member.client.committed
    assert reached == 70
    member.client.committed = 3
    for _ in range(7):
        member.poll()
    assert member.client.committed == reached
