"""Breaks this process as TICKETS_TEST_MUTANT says; a pytest plug-in, too, that does so before a test is imported."""

import os


def mutate() -> None:
    """Apply the mutant that the variable names, if any."""
    if mutant := os.environ.get("TICKETS_TEST_MUTANT"):
        from tests.faults.mutants import MUTANTS  # noqa: PLC0415 - only mutants need it, and it imports all of the product

        MUTANTS[mutant].apply()


def pytest_configure() -> None:
    """Do so at the start of pytest."""
    mutate()
