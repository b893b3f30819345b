"""A trial of replaying dead letters that are still bad, and the process that replays them."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Final

from tests.faults.arena import Arena, MakeArena
from tests.faults.oracle import require
from tests.faults.tickets import record

_BAD: Final = 20


def bad_letters_replayed(make: MakeArena, rng: Random) -> None:
    """Twenty bad records keep twenty letters after three replays, the last two of them concurrent."""
    del rng
    with make(watched=False, partitions=2) as arena:
        worker = arena.start()
        arena.send([record(b"acme/%d" % n, b"{%d" % n, "broken") for n in range(_BAD)])
        arena.await_committed(_BAD)
        _replay(arena, 1, records=2 * _BAD)
        arena.await_committed(2 * _BAD)
        # a worker would dead-letter the first replay's records, and the second replay might send those letters
        arena.terminate(worker)
        _replay(arena, 2, records=3 * _BAD)
        arena.start()
        arena.finish()


def _replay(arena: Arena, at_once: int, *, records: int) -> None:
    arena.run("replay", str(at_once))
    log = len(arena.world.log())
    arena.section.found(f"records after {at_once} at once", log, bound=records, kept=log == records)
    require("P14", log == records, f"{at_once} at once: the log has {log} records, not {records}")


def replay_at_once(count: int) -> None:
    """Run `dlq replay` `count` times concurrently."""
    from cli import dlq  # noqa: PLC0415 - the trial itself doesn't need it

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(dlq.replay, yes=True) for _ in range(count)]:
            done.result()
