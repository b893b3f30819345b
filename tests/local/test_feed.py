"""Synthetic tickets reach the raw topic, and the feed counts those that are not committed."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from connectors.kafka.producer import Outgoing, Sender
from core.errors import TransientError
from local.feed import Feed, open_feed
from tests.e2e.world import World
from tests.rigs.waiting import PATIENCE_S


def test_the_backlog_is_what_was_sent_and_not_committed(tansu: str, tmp_path: Path) -> None:
    """Without a worker every sent record is in the backlog."""
    world = World(tansu, tmp_path)
    delivered: list[int] = []
    with ExitStack() as stack:
        feed = open_feed(world.settings, stack)
        feed.send(5, seed=7, on_delivered=delivered.append)
        assert (feed.sent, feed.backlog(), sum(delivered)) == (5, 5, 5)
        sent = threading.Semaphore(0)
        with feed.trickle(seed=8, per_s=1_000, after_each=sent.release, on_error=_no_error):
            assert all(sent.acquire(timeout=PATIENCE_S) for _ in range(3))
    assert len(world.log()) == feed.sent >= 8


def test_an_error_ends_the_trickle_and_is_reported(tansu: str, tmp_path: Path) -> None:
    """The error stops the trickle and is reported; the `with` block continues."""
    world = World(tansu, tmp_path)
    errors, reported = list[str](), threading.Event()

    def report(message: str) -> None:
        errors.append(message)
        reported.set()

    feed = Feed(world.settings, sender=_Out(), cluster=world.cluster)
    with feed.trickle(seed=7, per_s=1_000, after_each=lambda: None, on_error=report):
        assert reported.wait(PATIENCE_S)
    assert errors == ["the broker is out"]


class _Out(Sender):
    def __init__(self) -> None:
        """Without a producer."""

    def send(self, records: Sequence[Outgoing], *, on_delivered: Callable[[int], None] | None = None) -> None:
        del records, on_delivered
        raise TransientError("the broker is out")


def _no_error(message: str) -> None:
    raise AssertionError(message)
