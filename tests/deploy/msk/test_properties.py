"""The shipped broker configuration is valid for MSK, complete and commented."""

import re
from typing import Final

import pytest

from connectors.kafka.topics import load_topics
from tests.rigs.kafka.shipped import PROPERTIES, shipped_properties

#: Properties that MSK accepts for a standard broker in KRaft mode.
#: https://docs.aws.amazon.com/msk/latest/developerguide/msk-configuration-properties.html
_SETTABLE: Final = """
    allow.everyone.if.no.acl.found auto.create.topics.enable compression.type connections.max.idle.ms
    default.replication.factor delete.topic.enable group.initial.rebalance.delay.ms group.max.session.timeout.ms
    group.min.session.timeout.ms leader.imbalance.per.broker.percentage log.cleaner.delete.retention.ms
    log.cleaner.min.cleanable.ratio log.cleanup.policy log.flush.interval.messages log.flush.interval.ms
    log.message.timestamp.difference.max.ms log.message.timestamp.type log.retention.bytes log.retention.hours
    log.retention.minutes log.retention.ms log.roll.ms log.segment.bytes max.incremental.fetch.session.cache.slots
    message.max.bytes min.insync.replicas num.io.threads num.network.threads num.partitions
    num.recovery.threads.per.data.dir num.replica.fetchers offsets.retention.minutes offsets.topic.replication.factor
    replica.fetch.max.bytes replica.fetch.response.max.bytes replica.lag.time.max.ms replica.selector.class
    replica.socket.receive.buffer.bytes socket.receive.buffer.bytes socket.request.max.bytes socket.send.buffer.bytes
    transaction.max.timeout.ms transaction.state.log.min.isr transaction.state.log.replication.factor
    transactional.id.expiration.ms unclean.leader.election.enable
"""
_REQUIRED: Final = {
    "auto.create.topics.enable": "false",
    "delete.topic.enable": "false",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "unclean.leader.election.enable": "false",
    "allow.everyone.if.no.acl.found": "false",
}


def _faults(text: str) -> list[str]:
    """The faults of a configuration's text."""
    found = []
    reasoned = False
    for line in text.splitlines():
        if re.fullmatch(r"[a-z.]+=\S+", line):
            found += [] if reasoned else [f"{line}: no comment above"]
        elif line.startswith("#"):
            reasoned = True
        elif line:
            found.append(f"{line}: neither a comment nor name=value")
        else:
            reasoned = False
    said = shipped_properties(text)
    found += [f"{name}: MSK doesn't accept it" for name in said if name not in _SETTABLE.split()]
    found += [f"{name} is not {value}" for name, value in _REQUIRED.items() if said.get(name) != value]
    found += _retention_faults(said)
    return found


def _retention_faults(said: dict[str, str]) -> list[str]:
    found = [] if "log.retention.hours" in said else ["log.retention.hours is not set"]
    kept_ms = [int(spec.config["retention.ms"]) for spec in load_topics(None)]
    if int(said.get("offsets.retention.minutes", "0")) * 60_000 < max(kept_ms):
        found.append("committed offsets expire before their records")
    return found


def test_the_shipped_file_is_sound() -> None:
    """Every line is a property that MSK accepts, with a comment above it."""
    assert _faults(PROPERTIES.read_text()) == []


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("auto.create.topics.enable=false", "auto.create.topics.enable=true"),
        ("allow.everyone.if.no.acl.found=false", "allow.everyone.if.no.acl.found=true"),
        ("unclean.leader.election.enable=false", ""),
        ("default.replication.factor=3", "default.replication.factor=2"),
        ("min.insync.replicas=2", "min.insync.replicas=1"),
        ("offsets.retention.minutes=43200", "offsets.retention.minutes=10080"),
        ("log.retention.hours=168", "\nlog.retention.hours=168"),
        ("log.retention.hours=168", "log.retention.hours=168\nbroker.rack=a"),
        ("log.retention.hours=168", "log.retention.hours=168\nhours"),
    ],
)
def test_a_broken_file_is_found(line: str, instead: str) -> None:
    """A changed value, a missing line or comment, an unsupported property and a malformed line are found."""
    sound = PROPERTIES.read_text()
    assert line in sound
    assert _faults(sound.replace(line, instead))


def test_topics_and_brokers_agree_on_copies() -> None:
    """The topics of topics.yaml have the brokers' default replication and in-sync replicas."""
    said = shipped_properties()
    for spec in load_topics(None):
        assert str(spec.replication) == said["default.replication.factor"], spec.name
        assert spec.config["min.insync.replicas"] == said["min.insync.replicas"], spec.name
