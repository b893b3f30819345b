"""The lag of a consumer group in a partition."""

from msgspec import Struct


class PartitionLag(Struct, frozen=True):
    """The lag of a group in one partition.

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
        """Number of records that were deleted before the group read them, both noted and not yet noticed."""
        return self.noted + (0 if self.committed is None else max(0, self.start - self.committed))

    @property
    def lag(self) -> int:
        """Number of records that the group hasn't committed."""
        # Some brokers report the start of the last batch as the end, so a group may seem to be ahead of it.
        return max(0, self.end - (self.start if self.committed is None else max(self.committed, self.start)))
