"""Every promise attacked: workers killed, frozen and crowded, brokers and index broken, and a verdict on what is left.

- `sizes`: how much of it a run does, and the seed that every random choice comes from; `choices` draws from it.
- `ledger`: what was sent, and what came of each send.
- `oracle`: what the log says the index and the dead letters must hold, against what they hold.
- `sampler`: what a person who searches sees meanwhile.
- `crowd`: the workers; `arena`: a stream under attack: all of these, and an index that can be broken.
- `trials`: one small attack per promise, `outages` those of an index in trouble; `tickets` are what they send.
- `mutants`: pipelines broken on purpose, each to be caught by a trial.
- `report`: what was broken when, what held, how long it took, for a person to read.
"""
