"""Mutants: pipelines that are broken on purpose, each as a careless change could break it. All must be caught.

`TICKETS_TEST_MUTANT=NAME python -m tests.faults.run plain` runs a mutant's worker. The product has no code for this.

- `records` breaks P1 to P6: records are lost, stale, resurrected, or wrongly dead-lettered.
- `workers` breaks P7 to P10: memory, outages, shutdown, rebalances.
- `secrets` breaks P11 and privacy.
- `boundary` breaks P12: reading from the broker.
- `letters` breaks P14 in replays of dead letters, and `repairs` breaks it in repairs.
- `greedy` breaks P15 (fairness between tickets and connections) and file permissions.
- `parts` breaks promises that unit tests prove.
"""

from tests.faults.mutants import boundary, greedy, letters, parts, records, repairs, secrets, workers
from tests.faults.mutants.mutant import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant", "boundary", "greedy", "letters", "parts", "records", "repairs", "secrets", "workers"]
