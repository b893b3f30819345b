"""Mutants that break promises of unit tests; their trials are probes (`tests.faults.probes`)."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from connectors.kafka import options
from connectors.kafka.producer import Sender
from core import addresses, index
from dataflows import launch
from models.store import weights
from operators import decode
from runtime import signals
from tests.deploy.compose import project
from tests.faults.mutants.mutant import mutant, patch

#: Modules whose private names are replaced.
_DECODE: Any = decode
_INDEX: Any = index
_LAUNCH: Any = launch
_OPTIONS: Any = options
_SIGNALS: Any = signals
_WEIGHTS: Any = weights


@mutant("P1", trial="options_that_lose_records")
def take_any_extra_option() -> None:
    """TICKETS_KAFKA__EXTRA may let the client commit by itself."""
    patch(_OPTIONS, "_OURS", frozenset())


@mutant("P4", trial="events_dated_in_the_future")
def take_any_time_for_a_version() -> None:
    """With updated_at as the version, an event of the year 9999 is accepted."""
    patch(_DECODE, "_require_past", lambda _version, _what, _record, _settings: None)


@mutant("P11", trial="limits_out_of_bounds")
def search_for_any_number() -> None:
    """The limit of a search is not checked."""
    patch(_INDEX, "_require_limit", lambda _limit: None)


@mutant("secrets", trial="passwords_in_addresses")
def show_addresses_whole() -> None:
    """An address is shown as it was given."""
    patch(addresses, "hide_credentials", str.__str__)


@mutant("secrets", trial="source_distributions")
def download_source_distributions() -> None:
    """pip may build what it downloads, by its setup.py."""
    patch(_WEIGHTS, "_WHEELS_ONLY", ())


@mutant("P9", trial="signals_late_in_the_end")
def leave_the_handlers() -> None:
    """The handlers are left to the interpreter's shutdown, which puts the default in their place."""
    for module in (_LAUNCH, _SIGNALS):
        patch(module, "ignore_signals", lambda: None)


@mutant("P9", trial="signals_at_the_start")
def start_without_handlers() -> None:
    """Signals have their default action until the pipeline is open."""
    patch(_LAUNCH, "_leave_on_signal", lambda: None)


@mutant("P8", trial="limit_of_a_send")
def count_polls_as_time() -> None:
    """Each look at the clock counts as the time that a poll was asked to take."""
    init = Sender.__init__

    def counting(self: Sender, producer: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        del clock
        polls = count()
        init(self, producer, clock=lambda: 0.1 * next(polls))

    patch(Sender, "__init__", counting)


@mutant("secrets", trial="compose_without_passwords")
def ask_for_no_password() -> None:
    """The secured file changes nothing."""
    patch(project, "read_secured", project.read)


@mutant("secrets", trial="compose_without_passwords")
def say_nothing_of_passwords() -> None:
    """The plain file doesn't say that it has no password."""
    patch(project, "opening", lambda: "The stream on one machine. compose.secured.yaml is another file.")
