"""What a mutant is, and the list of them all."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from tests.faults.trials import Trial


class Mutant(Struct, frozen=True):
    """A way to break the pipeline.

    Attributes:
        promises: those of which at least one must be seen broken.
        apply: breaks the product in this process.
    """

    promises: tuple[str, ...]
    trial: Trial
    apply: Callable[[], None]


MUTANTS: Final[dict[str, Mutant]] = {}


def mutant(*promises: str, trial: Trial) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """The function below breaks the product; it goes to the list under its name."""

    def keep(apply: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[apply.__name__] = Mutant(promises, trial, apply)
        return apply

    return keep


def patch(owner: Any, name: str, value: Any) -> None:
    """Replace what `owner` calls `name`."""
    setattr(owner, name, value)
