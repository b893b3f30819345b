"""Mutants that break P14: a repair or a rebuild deletes good tickets."""

from typing import Any

from cli import rebuild, reconcile
from maintenance import safety
from maintenance.log import RawLog
from tests.faults.mutants.mutant import mutant, patch

#: Modules whose imported names are replaced. `Any`, because they don't export those names.
_RECONCILE: Any = reconcile
_REBUILD: Any = rebuild
_SAFETY: Any = safety


@mutant("P14", trial="repair_with_a_setting_missing")
def repair_with_any_settings() -> None:
    """A repair doesn't compare its settings with the workers'."""
    patch(_RECONCILE, "unlike_setting", lambda _noted, _here: None)


@mutant("P14", trial="repair_of_a_large_surplus")
def find_any_share_plausible() -> None:
    """A repair deletes all tickets that the log doesn't have, however many they are."""
    patch(_SAFETY, "is_implausible", lambda _count, _total: False)


@mutant("P14", trial="repair_of_a_trimmed_log")
def trust_a_trimmed_log() -> None:
    """A repair takes a trimmed log for the whole one."""
    patch(RawLog, "expired", lambda _self: 0)


@mutant("P14", trial="rebuild_from_an_empty_topic")
def replace_an_index_unseen() -> None:
    """A rebuild doesn't look at the index that it replaces."""
    patch(_REBUILD, "find_index", lambda _settings: None)
