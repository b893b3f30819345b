"""Fault-injection tests: every promise is attacked, and a verdict says whether it held.

Workers are killed, frozen and rebalanced; brokers and the index are broken.

- `sizes`: how much a run does, and its seed. `choices`: random choices that follow from the seed.
- `ledger`: what was sent, and the outcome of each send.
- `oracle`: compares the index and the dead letters with the fold of the log.
- `sampler`: searches during an attack.
- `crowd`: the workers. `arena`: one attack: workers, load, sampler, and an index that can be broken.
- `attacks`, `kills`, `networks`, `storm`: the attacks at length. `lanes` runs them in parallel.
- `trials`, `outages`: one small attack for each promise. `tickets`: records for them.
- `probes`: unit tests that prove a promise without a stream.
- `mutants`: pipelines that are broken on purpose. A trial must catch each.
- `report`: what was broken when, which promises held, and how long it took. `plugin` gathers and prints it.
"""
