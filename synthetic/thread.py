"""Generates the thread of a ticket: agents ask, customers answer, and the agent's advice solves the problem or not."""

from collections.abc import Callable
from operator import attrgetter
from random import Random
from typing import Final, Literal, TypedDict

from msgspec import Struct

from synthetic.foreign import FOREIGN
from synthetic.phrases import NOTES, Phrases
from synthetic.writing import Case, TextGenerator

Status = Literal["open", "pending", "solved", "closed"]

#: The last turn of the thread, or `new` before the first.
_State = Literal["new", "asked", "answered", "tried", "noted", "fixed", "thanked", "relapsed"]
_Turn = Literal["reply", "ask", "answer", "try", "still", "note", "fix", "again", "thanks", "relapse"]


class SentMessage(TypedDict):
    """A message of a ticket."""

    author: str
    public: bool
    body: str
    created_at: int


class _Next(Struct, frozen=True):
    """A possible next turn, and the state after it."""

    weight: int
    turn: _Turn
    state: _State


_NEXT: Final[dict[_State, tuple[_Next, ...]]] = {
    "new": (_Next(4, "ask", "asked"), _Next(4, "fix", "fixed"), _Next(2, "reply", "answered")),
    "asked": (_Next(1, "answer", "answered"),),
    "answered": (_Next(11, "fix", "fixed"), _Next(5, "note", "noted"), _Next(4, "try", "tried")),
    "tried": (_Next(1, "still", "answered"),),
    "noted": (_Next(1, "fix", "fixed"),),
    "fixed": (_Next(3, "thanks", "thanked"), _Next(1, "relapse", "relapsed")),
    "thanked": (_Next(1, "relapse", "relapsed"),),
    "relapsed": (_Next(3, "again", "fixed"), _Next(2, "ask", "asked")),
}
#: The choices of each state, repeated by weight.
_CHOICES: Final = {state: tuple(n for n in nexts for _ in range(n.weight)) for state, nexts in _NEXT.items()}
_CUSTOMERS: Final = frozenset[_Turn]({"answer", "still", "thanks", "relapse"})
_PHRASES: Final[dict[_Turn, Callable[[Phrases], tuple[str, ...]]]] = {
    "reply": attrgetter("replies"),
    "try": attrgetter("tries"),
    "still": attrgetter("still"),
    "thanks": attrgetter("thanks"),
    "relapse": attrgetter("relapses"),
}
#: The statuses that fit a state; the first is the one that the last message sets.
_STATUSES: Final[dict[_State, tuple[Status, ...]]] = {
    "new": ("open", "pending"),
    "asked": ("pending", "open"),
    "answered": ("open", "pending"),
    "tried": ("pending", "open"),
    "noted": ("open", "pending"),
    "fixed": ("solved", "closed"),
    "thanked": ("solved", "closed"),
    "relapsed": ("open", "pending"),
}


class Thread:
    """The messages of one ticket, one after the other."""

    def __init__(self, case: Case, rng: Random, texts: TextGenerator) -> None:
        self.case = case
        self._rng = rng
        self._texts = texts
        self._states: list[_State] = ["new"]
        self._asked = case.language != "en"
        self._noted = False
        self._answer = ""

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses that fit."""
        return _STATUSES[self._states[-1]]

    @property
    def status(self) -> Status:
        """The status after the last message. A ticket is solved or closed once it has the right advice."""
        return self.statuses[0]

    def next(self, created_at: int) -> SentMessage:
        """The next message."""
        choice = self._rng.choice(_CHOICES[self._states[-1]])
        self._states.append(choice.state)
        return {
            "author": "customer" if choice.turn in _CUSTOMERS else "agent",
            "public": choice.turn != "note",
            "body": self._texts.fill(self._template(choice.turn), self.case),
            "created_at": created_at,
        }

    def truncate(self, messages: int) -> None:
        """Keep the first `messages` messages only."""
        del self._states[messages + 1 :]

    def _template(self, turn: _Turn) -> str:
        if turn == "fix":
            return self._fix()
        if turn == "again":
            return f"{self._rng.choice(self.case.phrases.again)} {self._fix()}"
        if turn == "ask":
            return self._ask()
        if turn == "answer":
            return self._answer
        if turn == "note":
            return self._note()
        return self._rng.choice(_PHRASES[turn](self.case.phrases))

    def _ask(self) -> str:
        """The cause's own question first, then general ones; `_answer` is the reply to it."""
        cause, phrases = self.case.cause, self.case.phrases
        if not self._asked:
            self._asked, self._answer = True, cause.answer
            return cause.ask
        self._answer = self._rng.choice(phrases.answers)
        return self._rng.choice(phrases.asks)

    def _note(self) -> str:
        """The finding first, then general notes."""
        if self._noted:
            return self._rng.choice(NOTES)
        self._noted = True
        return self.case.cause.finding

    def _fix(self) -> str:
        case = self.case
        return case.cause.fix if case.language == "en" else FOREIGN[case.language][case.cause.name].fix
