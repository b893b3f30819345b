"""A worker for the attacks: `python -m tests.faults.run bytewax|plain`.

It is the ordinary one, but for what these variables ask for:

- TICKETS_TEST_MUTANT: break it in this way first (`tests.faults.mutants`).
- TICKETS_TEST_ACKS: write every ack to this file (`tests.faults.recorder`).
- TICKETS_TEST_CLOCK: let the wall clock jump by up to so many seconds, back and forth.
- TICKETS_TEST_CUSTOMERS: while this file says `down` the customers' directory is out, while it says `hangs` it doesn't
  answer.
"""

import os
import runpy
import sys
import time
from pathlib import Path
from random import Random

from tests.e2e import plain_loop


def main(runner: str) -> None:
    """Change what is asked for, then run the worker to its end."""
    if mutant := os.environ.get("TICKETS_TEST_MUTANT"):
        from tests.faults.mutants import MUTANTS  # noqa: PLC0415 - not of interest to the others

        MUTANTS[mutant].apply()
    if path := os.environ.get("TICKETS_TEST_ACKS"):
        from tests.faults.recorder import record_acks  # noqa: PLC0415 - likewise

        record_acks(path)
    if jump := os.environ.get("TICKETS_TEST_CLOCK"):
        _disturb_clock(float(jump))
    if path := os.environ.get("TICKETS_TEST_CUSTOMERS"):
        from tests.faults.directory import break_customers  # noqa: PLC0415 - likewise

        break_customers(Path(path))
    if runner == "plain":
        sys.exit(plain_loop.main())
    sys.argv = ["bytewax.run", "dataflows.tickets"]
    runpy.run_module("bytewax.run", run_name="__main__")


def _disturb_clock(jump_s: float) -> None:
    rng, true_time = Random(1), time.time
    time.time = lambda: true_time() + rng.uniform(-jump_s, jump_s)


if __name__ == "__main__":
    main(sys.argv[1])
