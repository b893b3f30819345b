"""Seeded synthetic tickets, and texts with labelled personal data, for the demo, tests and benchmarks."""
