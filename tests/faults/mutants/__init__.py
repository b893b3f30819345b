"""Pipelines broken on purpose, each in one way that a hurried change could break it: all must be caught.

`TICKETS_TEST_MUTANT=NAME python -m tests.faults.run plain` is a worker broken so. The product knows nothing of it.

- `records`: what becomes of records: lost, stale, resurrected, not the log's fold, wrongly among the dead letters.
- `workers`: how a worker lives: memory, outages, its end, rebalances.
- `secrets`: what nobody may see.
"""

from tests.faults.mutants import records, secrets, workers
from tests.faults.mutants.mutant import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant", "records", "secrets", "workers"]
