"""How far a consumer group is behind in a partition."""

from msgspec import Struct


class PartitionLag(Struct, frozen=True):
    """How far a group is behind in one partition.

    Attributes:
        committed: None if it has committed nothing.
        noted: records that it has noted as deleted before it had read them.
        topic_id: of the topic in which it has committed, as it has noted it; None if it hasn't.
    """

    topic: str
    partition: int
    committed: int | None
    start: int
    end: int
    noted: int = 0
    topic_id: str | None = None

    @property
    def expired(self) -> int:
        """Records that were deleted before the group had read them: those noted, and those that it will find so."""
        return self.noted + (0 if self.committed is None else max(0, self.start - self.committed))

    @property
    def lag(self) -> int:
        """Records that the group has still to read."""
        # Some brokers report the start of the last batch as the end, so a group may seem to be ahead of it.
        return max(0, self.end - (self.start if self.committed is None else max(self.committed, self.start)))
