"""Probes: promises that unit tests prove without a stream.

The tests of a probe run in a process of their own, once as they are and once with each of its mutants.
"""

import os
import subprocess
import sys
from typing import Final

import pytest
from msgspec import Struct

from tests.faults.oracle import BrokenError, require
from tests.faults.report import Section

_PATIENCE_S: Final = 300.0
#: Variables of the run that started this one, which would change the inner one.
_OURS: Final = ("PYTEST_", "TICKETS_TEST_REPORT", "TICKETS_TEST_SOAK")


class Probe(Struct, frozen=True):
    """Tests that prove a promise.

    Attributes:
        promise: is broken if one of them fails.
        about: what they prove, as a sentence.
        tests: their ids, as pytest takes them.
    """

    promise: str
    about: str
    tests: tuple[str, ...]

    def run(self, section: Section, *, mutant: str = "") -> None:
        """Run the tests on the product, or on a mutant of it.

        Raises:
            BrokenError: one failed.
        """
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",  # stop at the first failure, because a mutant may hang the next test
            "--tb=no",
            "-p",
            "no:cacheprovider",
            "-p",
            "tests.faults.mutate",
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        done = subprocess.run(
            [*command, *self.tests],
            env=environment | {"TICKETS_TEST_MUTANT": mutant},
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        lines = done.stdout.splitlines()
        said = {what: [line for line in lines if line.startswith(what)] for what in ("FAILED", "SKIPPED")}
        if said["FAILED"]:
            raise BrokenError(self.promise, said["FAILED"][0].removeprefix("FAILED "))
        require("harness", done.returncode == 0, f"pytest ended with {done.returncode}\n{done.stdout[-1_500:]}")
        if said["SKIPPED"]:
            pytest.skip(said["SKIPPED"][0])
        section.found("tests", lines[-1])


PROBES: Final[dict[str, Probe]] = {
    "events_dated_in_the_future": Probe(
        "P4",
        "With updated_at as the version, an event dated far in the future is rejected, and outranks no delete.",
        ("tests/operators/test_decode.py",),
    ),
    "options_that_lose_records": Probe(
        "P1",
        "An extra option of the client on which delivery rests is refused.",
        ("tests/connectors/kafka/test_options.py::test_an_extra_option_that_loses_records_is_refused",),
    ),
    "limits_out_of_bounds": Probe(
        "P11",
        "A search for a negative number of tickets, or for too many, is refused in one line.",
        (
            "tests/core/test_records.py::test_a_limit_out_of_bounds_is_refused",
            "tests/core/test_records.py::test_a_query_from_json_is_checked_too",
            "tests/stream/test_control.py::test_a_limit_out_of_bounds_is_a_400",
        ),
    ),
    "passwords_in_addresses": Probe(
        "secrets",
        "The user name and password of an address are never printed.",
        ("tests/core/test_addresses.py",),
    ),
    "source_distributions": Probe(
        "secrets",
        "No code of a downloaded package runs before the package is verified.",
        ("tests/models/store/test_weights.py::test_no_code_of_a_package_runs_before_it_is_verified",),
    ),
    "signals_at_the_start": Probe(
        "P9",
        "A worker that gets SIGTERM or SIGINT during its start exits with 0.",
        ("tests/dataflows/test_launch.py::test_a_signal_during_the_start_ends_it",),
    ),
    "signals_late_in_the_end": Probe(
        "P9",
        "A signal that comes while the interpreter shuts down changes no exit code.",
        (
            "tests/dataflows/test_launch.py::test_a_signal_late_in_the_end_changes_no_exit_code",
            "tests/runtime/test_signals.py::test_a_signal_late_in_the_end_changes_no_exit_code",
        ),
    ),
    "limit_of_a_send": Probe(
        "P8",
        "A sender waits for delivery reports for 40 seconds, however many polls that takes.",
        ("tests/connectors/kafka/test_producer.py",),
    ),
    "compose_without_passwords": Probe(
        "secrets",
        "The plain compose file says that it asks for no password, and each port of the secured one asks over TLS.",
        (
            "tests/deploy/compose/test_compose.py::test_the_file_says_that_it_asks_for_no_password",
            "tests/deploy/compose/test_compose.py::test_ports_are_open_on_this_machine_only",
            "tests/deploy/compose/test_secured.py::test_every_port_asks_for_a_password_over_tls",
            "tests/deploy/compose/test_secured.py::test_no_password_has_a_default",
        ),
    ),
}
