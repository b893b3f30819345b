"""Observers that keep what a consumer tells them."""

from connectors.kafka.assignment import ConsumerObserver


class HistoryRecorder(ConsumerObserver):
    """Counts the records that expired unread, and keeps the partitions that are read from the beginning again."""

    def __init__(self) -> None:
        self.lost = 0
        self.anew: list[int] = []

    def expired(self, topic: str, partition: int, records: int) -> None:
        del topic, partition
        self.lost += records

    def begun_anew(self, topic: str, partition: int) -> None:
        del topic
        self.anew.append(partition)
