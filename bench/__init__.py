"""Benchmarks: each contender runs in a process of its own, in interleaved rounds, and a page shows the medians."""
