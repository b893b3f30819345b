"""The provenance of an index: the log that it was written from, how far, and by which model and settings.

Workers note in the index itself how far they have come in the log, before they commit to the broker. So the offsets
that a group has committed never exceed the positions in its index, unless one of them was lost, restored or replaced.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from core.errors import UnavailableError

#: An offset by partition.
Offsets = Mapping[int, int]

#: What separates an index from the offsets of its group. behind: it lacks records that the group has committed.
#: other_log: it was written from another topic or cluster. unfinished: a rebuild has put it in place and not finished.
#: replaced: it is another index than the one that this worker has opened.
MismatchKind = Literal["behind", "other_log", "unfinished", "replaced"]


class LogIdentity(Struct, frozen=True):
    """A topic as a broker knows it. A topic that is deleted and created again has another id. None is unknown."""

    topic: str
    cluster: str | None = None
    topic_id: str | None = None

    def difference(self, other: "LogIdentity") -> str | None:
        """How `other`, the log that is read now, differs from this one; None if it may be the same."""
        if self.topic != other.topic:
            return f"it was written from topic {self.topic}, and this is {other.topic}"
        if None not in {self.cluster, other.cluster} and self.cluster != other.cluster:
            return f"it was written from {self.topic} of cluster {self.cluster}, and this cluster is {other.cluster}"
        if None not in {self.topic_id, other.topic_id} and self.topic_id != other.topic_id:
            return f"topic {self.topic} was deleted and created again since"
        return None


class Provenance(Struct, frozen=True, kw_only=True):
    """What an index knows of its own origin.

    Attributes:
        index: made up when the index was created: a restored copy has it too, a new index doesn't.
        model: stamp of the model of its vectors.
        created_ms: when it was created, or adopted.
        adopted: whether it was written by a version that noted no provenance.
        replaces: the index whose place it took, if it was rebuilt.
        finished: False while a rebuild still has to add what was acked to the index that it replaces.
        log: the log that it is written from; None before the first worker has started.
        positions: the index holds the effect of every record of `log` before these offsets.
        until: the offsets to which it must be read again: below them, it is older than what was acked.
        settings: those of the workers that decide what is stored, by variable.
    """

    index: str
    model: str
    created_ms: int
    adopted: bool = False
    replaces: str | None = None
    finished: bool = True
    log: LogIdentity | None = None
    positions: Offsets = field(default_factory=dict)
    until: Offsets = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Records that were acked to this index, or to a newer copy of it, and that it doesn't hold."""
        return records_missing(self.positions, self.until)


class Mismatch(Struct, frozen=True):
    """Why an index and a group's offsets don't belong together.

    Attributes:
        reason: in one clause that begins with "the index".
        missing: number of records that the index lacks, as far as it is known.
    """

    kind: MismatchKind
    reason: str
    missing: int = 0


class MismatchError(UnavailableError):
    """The index and the offsets of the consumer group don't belong together. The message says what to do."""


def find_mismatch(found: Provenance, log: LogIdentity, committed: Offsets) -> Mismatch | None:
    """Compare an index with what a group has committed of `log`; None if they belong together.

    Args:
        found: read after `committed`, as workers note a position before they commit it.
        log: what the group reads.
        committed: its offsets by partition, without those where it has committed nothing.
    """
    if found.log is not None and (difference := found.log.difference(log)):
        return Mismatch("other_log", f"the index belongs to another log: {difference}")
    missing = records_missing(found.positions, committed)
    if not missing:
        return None
    if not found.finished:
        return Mismatch("unfinished", "the index was put in place by a rebuild that has not finished", missing)
    return Mismatch("behind", _behind(found, log.topic, committed, missing), missing)


def records_missing(positions: Offsets, wanted: Offsets) -> int:
    """Number of offsets before `wanted` and not before `positions`, over all partitions."""
    return sum(max(0, offset - positions.get(partition, 0)) for partition, offset in wanted.items())


def _behind(found: Provenance, topic: str, committed: Offsets, missing: int) -> str:
    partition = max(committed, key=lambda n: committed[n] - found.positions.get(n, 0))
    where = f"{topic}[{partition}] is committed to {committed[partition]:,}"
    held = found.positions.get(partition)
    holds = f"the index holds it to {held:,}" if held else "the index holds nothing of it"
    return (
        f"the index lacks {missing:,} record(s) that the consumer group has committed, so it was lost or restored from "
        f"an older copy ({where}, and {holds})"
    )
