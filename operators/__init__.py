"""Operators: pure functions over batches, which return one item per input, in order."""
