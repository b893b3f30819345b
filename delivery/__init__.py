"""The promise never to lose or reorder. Pure logic: no client of anything, time and chance are passed in."""
