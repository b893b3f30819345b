"""Decides by the user's own questions whether a new index may replace the old one."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from connectors.qdrant.engine import NoIndexError
from core.errors import ConfigError, TicketstreamError
from core.protocols import IndexReader
from core.settings import Settings
from maintenance.evaluation.bootstrap import Interval
from maintenance.evaluation.evaluate import MEASURES, NOTHING, ask_of, compare, score_questions
from maintenance.evaluation.questions import Question
from runtime.model import open_question_embedder
from runtime.searcher import IndexSearcher, open_searcher

#: The deciding measures: MRR, and the accuracy of "nothing found".
DECIDING: Final = (next(iter(MEASURES)), NOTHING)
MARGIN: Final = 0.02


class WorseIndexError(TicketstreamError):
    """The new index finds less than the old one. The message has the figures, and says what to do."""


class Gate:
    """Compares a new index with the one in use."""

    def __init__(self, settings: Settings, questions: Sequence[Question], margin: float, accept_worse: bool) -> None:
        self._settings = settings
        self._questions = questions
        self._margin = margin
        self._accept_worse = accept_worse

    def compare(self, index: IndexReader, model: str) -> dict[str, Interval]:
        """The gains of the new `index`, which has vectors of `model`. Without an old index there are none.

        Raises:
            WorseIndexError: the new index is worse, and that is not accepted.
            ConfigError: the model of the settings is not the index's.
            UnavailableError: the old index can't be searched.
        """
        with ExitStack() as opened:
            embedder = open_question_embedder(self._settings.model, opened)
            if embedder.stamp != model:
                raise ConfigError(
                    f"--questions: the new index has vectors of {model}, but the model is {embedder.stamp}; set "
                    "TICKETS_MODEL__NAME and TICKETS_MODEL__PRECISION to the former"
                )
            with ExitStack() as stack:
                try:
                    old = open_searcher(self._settings, stack)
                except NoIndexError:
                    return {}
                except ConfigError as error:
                    raise ConfigError(
                        "--questions: the old index can't be searched; start its worker, or leave the option out: "
                        f"{error}"
                    ) from None
                before = score_questions(self._questions, ask_of(old))
            new = IndexSearcher(index=index, embedder=embedder, settings=self._settings.search)
            after = score_questions(self._questions, ask_of(new))
        gains = compare(before, after)
        worse = worse_figures(gains, margin=self._margin)
        if worse and not self._accept_worse:
            raise WorseIndexError(
                f"the new index finds less than the old one, beyond the margin of {self._margin:g}: {worse}; "
                f"the old index stays in use; --accept-worse switches anyway"
            )
        return gains


def worse_figures(gains: dict[str, Interval], *, margin: float) -> str:
    """The deciding figures that fell by more than `margin`, in words; empty if none did.

    The whole 95 % interval of the fall must be below 0, so that chance alone refuses few indexes.
    """
    return ", ".join(
        shown_gain((name, gains[name]))
        for name in DECIDING
        if name in gains and gains[name].value < -margin and gains[name].high < 0
    )


def shown_gain(gain: tuple[str, Interval]) -> str:
    """A measure's name with its gain, in words."""
    name, change = gain
    return f"{name} {change.value:+.3f} ({change.low:+.3f} to {change.high:+.3f})"
