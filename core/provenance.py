"""The provenance of an index: the log that it was written from, its positions in it, its model and settings.

Workers note their positions in the log in the index itself, before they commit to the broker. So the offsets that a
group has committed never exceed the positions in its index, unless one of them was lost, restored or replaced.
"""

import time
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct, field

from core.errors import UnavailableError

#: An offset by partition.
Offsets = Mapping[int, int]

#: After an upgrade from a version that noted no positions, its last workers may still commit for this long.
ADOPTION_MS: Final = 3_600_000

#: Ways in which an index differs from its group's offsets. behind: it lacks records that the group has committed.
#: other_log: it was written from another cluster. recreated: its topic was deleted and created again. unfinished: a
#: rebuild has put it in place and not finished. replaced: it is another one than this worker has opened.
MismatchKind = Literal["behind", "other_log", "recreated", "unfinished", "replaced"]


class LogIdentity(Struct, frozen=True):
    """A topic as a broker knows it. A topic that is deleted and created again has another id. None is unknown."""

    topic: str
    cluster: str | None = None
    topic_id: str | None = None

    def contradiction(self, other: "LogIdentity") -> "Mismatch | None":
        """The reason why an index of this log can't be one of `other`, which is read now; None if there is none.

        An index may be written from several topics of a cluster: when a stream is split, the topic changes.
        """
        if _differ(self.cluster, other.cluster):
            reason = f"it was written from cluster {self.cluster}, and this cluster is {other.cluster}"
            return Mismatch("other_log", f"the index belongs to another log: {reason}")
        if self.topic == other.topic and _differ(self.topic_id, other.topic_id):
            reason = f"topic {self.topic} was deleted and created again since"
            return Mismatch("recreated", f"the index belongs to another log: {reason}")
        return None


class Progress(Struct, frozen=True):
    """The progress of an index in a log.

    Attributes:
        positions: the index holds the effect of every record before these offsets.
        until: below these offsets the index is older than what was acked, and must be read again.
        expired: records that were deleted from the log before the group had read them.
    """

    log: LogIdentity
    positions: Offsets = {}
    until: Offsets = {}
    expired: int = 0

    @property
    def missing(self) -> int:
        """Records that were acked to this index, or to a newer copy of it, and that it doesn't hold."""
        return records_missing(self.positions, self.until)


class Provenance(Struct, frozen=True, kw_only=True):
    """An index's record of its own origin.

    Attributes:
        index: random id of the index from its creation; a restored copy has the same one.
        model: stamp of the model of its vectors.
        created_ms: when it was created, or adopted.
        adopted: whether it was written by a version that noted no provenance.
        replaces: the index whose place it took, if it was rebuilt.
        finished: False while a rebuild still has to add what was acked to the index that it replaces.
        logs: its progress in each topic from which it was written.
        settings: those of the workers that decide what is stored, by variable.
    """

    index: str
    model: str
    created_ms: int
    adopted: bool = False
    replaces: str | None = None
    finished: bool = True
    logs: tuple[Progress, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Records that were acked to this index, or to a newer copy of it, and that it doesn't hold."""
        return sum(progress.missing for progress in self.logs)

    @property
    def expired(self) -> int:
        """Records that were deleted before they were read, so that the index can't hold their effect."""
        return sum(progress.expired for progress in self.logs)

    def is_adoptable(self, log: LogIdentity) -> bool:
        """Whether a version that noted no positions may still write, so that missing ones prove nothing."""
        if not self.adopted or self.contradiction(log):
            return False
        # a clock that was ahead at the adoption doesn't make the hour longer
        return not self.logs or abs(time.time() * 1000 - self.created_ms) < ADOPTION_MS

    def of(self, log: LogIdentity) -> Progress:
        """Its progress in `log`, under the noted identity."""
        return next((one for one in self.logs if one.log.topic == log.topic), Progress(log))

    def contradiction(self, log: LogIdentity) -> "Mismatch | None":
        """Why the index can't have been written from `log`, or None."""
        return next((found for one in self.logs if (found := one.log.contradiction(log))), None)


class Mismatch(Struct, frozen=True):
    """The reason why an index doesn't match a group's offsets.

    Attributes:
        reason: in one clause that begins with "the index".
        missing: number of records that the index lacks, as far as it is known.
    """

    kind: MismatchKind
    reason: str
    missing: int = 0


class MismatchError(UnavailableError):
    """The index doesn't match the consumer group's offsets. The message says what to do."""


def find_mismatch(found: Provenance, log: LogIdentity, committed: Offsets) -> Mismatch | None:
    """Compare an index with a group's commits of `log`; None if they match.

    Args:
        found: read after `committed`, as workers note a position before they commit it.
        log: what the group reads.
        committed: its offsets by partition, without those where it has committed nothing.
    """
    if contradiction := found.contradiction(log):
        return contradiction
    if found.is_adoptable(log):
        return None
    positions = found.of(log).positions
    missing = records_missing(positions, committed)
    if not missing:
        return None
    if not found.finished:
        return Mismatch("unfinished", "the index was put in place by a rebuild that has not finished", missing)
    return Mismatch("behind", _behind(positions, log.topic, committed, missing), missing)


def missing_reason(missing: int) -> str | None:
    """The reason why an index that lacks acked records refuses searches; None if nothing is missing."""
    if not missing:
        return None
    return (
        f"the index must be read again: it lacks {missing:,} record(s) that were acknowledged, so its answers would be "
        "out of date"
    )


def expired_warning(expired: int) -> str | None:
    """The warning to readers of an index that lacks expired records; None if there are none."""
    if not expired:
        return None
    return (
        f"{expired:,} record(s) were deleted from the topic before they were read, so some tickets are missing, out of "
        "date or wrongly there: send them again"
    )


def records_missing(positions: Offsets, wanted: Offsets) -> int:
    """Number of offsets before `wanted` and not before `positions`, over all partitions."""
    return sum(max(0, offset - positions.get(partition, 0)) for partition, offset in wanted.items())


def _behind(positions: Offsets, topic: str, committed: Offsets, missing: int) -> str:
    partition = max(committed, key=lambda n: committed[n] - positions.get(n, 0))
    where = f"{topic}[{partition}] is committed to {committed[partition]:,}"
    held = positions.get(partition)
    holds = f"the index holds it to {held:,}" if held else "the index holds nothing of it"
    return (
        f"the index lacks {missing:,} record(s) that the consumer group has committed, so it was lost or restored from "
        f"an older copy ({where}, and {holds})"
    )


def _differ(one: str | None, other: str | None) -> bool:
    """Whether two ids are known and differ."""
    return None not in {one, other} and one != other
