"""What is fast, measured: each bench prints what it did, on what machine, and its medians."""
