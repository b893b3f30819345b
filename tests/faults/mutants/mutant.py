"""The registry of mutants."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct


class Mutant(Struct, frozen=True):
    """A way to break the pipeline.

    Attributes:
        promises: at least one of these must be found broken.
        trial: name of the trial that must find it, a key of `TRIALS` or `PROBES`. The trials themselves would take a
            worker as long to import as all of the product.
        apply: breaks the product in this process.
    """

    promises: tuple[str, ...]
    trial: str
    apply: Callable[[], None]


MUTANTS: Final[dict[str, Mutant]] = {}


def mutant(*promises: str, trial: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Decorator: register a function that breaks the product as the mutant of its name."""

    def register(apply: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[apply.__name__] = Mutant(promises, trial, apply)
        return apply

    return register


def patch(owner: Any, name: str, value: Any) -> None:
    """Replace the attribute `name` of `owner`, which must have it: else the mutant has no fault."""
    assert hasattr(owner, name), f"{owner} has no {name}"
    setattr(owner, name, value)
