"""A worker for the attacks: `python -m tests.faults.run bytewax|plain`.

With `replay N` it makes N replays of dead letters, and with `ticketstream COMMAND …` it runs that command.

It is the ordinary program, changed by these variables:

- TICKETS_TEST_MUTANT: apply this mutant (`tests.faults.mutants`).
- TICKETS_TEST_ACKS: record acks in this file (`tests.faults.recorder`).
- TICKETS_TEST_CLOCK: let the wall clock jump by up to this many seconds at each reading.
- TICKETS_TEST_CUSTOMERS: the customer directory is out while this file contains `down`, and hangs while it contains
  `hangs`.
"""

import os
import runpy
import sys
import time
from pathlib import Path
from random import Random

from tests.e2e import plain_loop
from tests.faults.mutate import mutate


def main(runner: str, *arguments: str) -> None:
    """Make these changes, then run the worker, the replays or the command."""
    mutate()
    if path := os.environ.get("TICKETS_TEST_ACKS"):
        from tests.faults.recorder import record_acks  # noqa: PLC0415 - likewise

        record_acks(path)
    if jump := os.environ.get("TICKETS_TEST_CLOCK"):
        _disturb_clock(float(jump))
    if path := os.environ.get("TICKETS_TEST_CUSTOMERS"):
        from tests.faults.directory import break_customers  # noqa: PLC0415 - likewise

        break_customers(Path(path))
    if runner == "replay":
        from tests.faults.letters import replay_at_once  # noqa: PLC0415 - likewise

        replay_at_once(*map(int, arguments))
        return
    if runner == "ticketstream":
        from cli.main import main as ticketstream  # noqa: PLC0415 - likewise

        sys.argv = ["ticketstream", *arguments]
        ticketstream()
    if runner == "plain":
        sys.exit(plain_loop.main())
    sys.argv = ["bytewax.run", "dataflows.tickets"]
    runpy.run_module("bytewax.run", run_name="__main__")


def _disturb_clock(jump_s: float) -> None:
    rng, true_time = Random(1), time.time
    time.time = lambda: true_time() + rng.uniform(-jump_s, jump_s)


if __name__ == "__main__":
    main(*sys.argv[1:])
