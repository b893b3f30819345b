"""Records a worker's acks, so that duplicates can be counted even if it is killed.

Each ack is a line of a file, written by one system call, so a SIGKILL loses no earlier ack.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from connectors.kafka.consumer import GroupConsumer
from core.records import Receipt


def record_acks(path: str) -> None:
    """Write every ack of this process to `path`, from now on."""
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    ack = GroupConsumer.ack

    def recorded(self: GroupConsumer, receipt: Receipt) -> None:
        parts = (f"{part.partition[1]}:{','.join(map(str, part.offsets))}" for part in receipt.partitions)
        os.write(out, (" ".join(parts) + "\n").encode())
        ack(self, receipt)

    GroupConsumer.ack = recorded  # type: ignore[method-assign]


def read_acks(paths: Iterable[Path]) -> Counter[tuple[int, int]]:
    """How often each record was acked, by partition and offset."""
    found: Counter[tuple[int, int]] = Counter()
    for path in paths:
        for line in path.read_text().splitlines():
            for part in line.split():
                partition, offsets = part.split(":")
                found.update((int(partition), int(offset)) for offset in offsets.split(","))
    return found
