"""Repairs and rebuilds refuse a log that changes while they read it."""

from collections.abc import Mapping
from typing import Any

import pytest

from connectors.kafka.lag import PartitionLag
from core.errors import FatalError
from core.provenance import LogIdentity
from core.settings import Settings
from maintenance.log import LogWatch, RawLog


class _Offsets:
    """A topic that may be created again, and lose its first records."""

    topic_id: str | None = "one"
    start = 4
    policy = "delete"

    def identify(self, topic: str) -> LogIdentity:
        return LogIdentity(topic, "cluster", self.topic_id)

    def lag(self, topic: str, _group: str) -> list[PartitionLag]:
        return [PartitionLag(topic, number, None, self.start, 9) for number in range(2)]

    def options(self, _topic: str) -> Mapping[str, str]:
        return {"cleanup.policy": self.policy}


def _log(offsets: Any) -> RawLog:
    return RawLog(Settings(), offsets, partitions={"tickets.raw": 2, "tickets.dlq": 1})


def test_a_topic_that_is_created_again_while_it_is_read_is_noticed() -> None:
    """A new id of the topic is an error, because the old topic's offsets would be noted; a hidden id isn't."""
    offsets = _Offsets()
    watch = LogWatch(_log(offsets))
    watch.require_same()
    offsets.topic_id = None
    watch.require_same()
    offsets.topic_id = "two"
    with pytest.raises(FatalError, match=r"tickets\.raw was deleted and created again .*the index is unchanged"):
        watch.require_same()


def test_records_that_expire_while_a_log_is_read_are_noticed() -> None:
    """Only records that have expired since the reading began are an error."""
    offsets = _Offsets()
    watch = LogWatch(_log(offsets))
    watch.require_same(expired=8)
    offsets.start = 6
    watch.require_same()
    with pytest.raises(FatalError, match=r"4 record\(s\) of tickets\.raw expired while it was read"):
        watch.require_same(expired=8)


@pytest.mark.parametrize(("policy", "compacted"), [("delete", False), ("compact", True), ("compact,delete", True)])
def test_a_compacted_topic_is_recognised(policy: str, compacted: bool) -> None:
    """Only the policy shows it, because compaction deletes records and leaves the log's first offset."""
    offsets = _Offsets()
    offsets.policy = policy
    assert _log(offsets).compacted() is compacted
