"""Mutants that break P14 and P6: dead letters multiply when they are replayed."""

import time
from collections.abc import Collection, Iterable
from contextlib import nullcontext
from typing import Any

from cli import dlq
from maintenance import replay_plan
from tests.faults.mutants.mutant import mutant, patch

#: Modules whose imported names are replaced. `Any`, because they don't export those names.
_DLQ: Any = dlq
_PLAN: Any = replay_plan


@mutant("P14", trial="bad_letters_replayed")
def replay_every_letter() -> None:
    """Each replay sends all letters."""

    def all_of_them(letters: Iterable[Any]) -> Collection[Any]:
        return list(letters)

    patch(_PLAN, "_latest", all_of_them)
    patch(_PLAN, "_replayed", lambda _settings, _letters: set())


@mutant("P14", trial="bad_letters_replayed")
def replay_beside_another() -> None:
    """A replay doesn't wait for one that is running."""
    plan = _DLQ.plan_replay

    def slowly(*arguments: Any, **more: Any) -> Any:
        made = plan(*arguments, **more)
        time.sleep(2)
        return made

    patch(_DLQ, "_alone", lambda _settings: nullcontext())
    patch(_DLQ, "plan_replay", slowly)
