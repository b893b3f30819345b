"""Bounded ranking factors: solved and recent tickets rank higher among similar matches."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from core.index import Facts
from search.fuse import Match
from search.result import Factor

_DAY_MS: Final = 86_400_000


class Factors(Struct, frozen=True, kw_only=True):
    """The strength of each factor; 0 disables it.

    Attributes:
        solved: added for a ticket that is solved and was not reopened.
        recent: added for a ticket that has just changed; half of it remains after `half_life_days`.
    """

    solved: float = 0.03
    recent: float = 0.02
    half_life_days: float = 90.0


#: Ranks by the match alone.
NO_FACTORS: Final = Factors(solved=0, recent=0)


class Ranked(Struct, frozen=True):
    """A match with its factors. `score` is the match's score times all factors."""

    match: Match
    factors: tuple[Factor, ...]
    score: float


def rank(matches: Sequence[Match], strength: Factors, now_ms: int, *, limit: int | None = None) -> list[Ranked]:
    """The best `limit` matches with their factors, or all of them, best first. Ties are ordered by ticket."""
    scored = [
        (-_score(match, strength, now_ms), match.candidate.ticket_id, number) for number, match in enumerate(matches)
    ]
    return [
        Ranked(match := matches[number], factors_of(match.candidate.facts, strength, now_ms), -negative)
        for negative, _ticket, number in sorted(scored)[:limit]
    ]


def is_solved(ticket: Facts) -> bool:
    """Whether the ticket is solved, and not open again."""
    return ticket.solved == "yes"


def factors_of(ticket: Facts, strength: Factors, now_ms: int) -> tuple[Factor, ...]:
    """The factors that apply to a ticket. Each is between 1 and 1 plus its strength."""
    solved, days = _solved(ticket, strength), _days(ticket, strength, now_ms)
    found = []
    if solved is not None:
        found.append(Factor("solved", solved, "solved"))
    if days is not None:
        found.append(Factor("recent", _recent(days, strength), _age(days)))
    return tuple(found)


def _score(match: Match, strength: Factors, now_ms: int) -> float:
    """The match's score times its factors. A score of 0 or less stays as it is: a factor above 1 would lower it."""
    if match.score <= 0:
        return match.score
    ticket = match.candidate.facts
    solved, days = _solved(ticket, strength), _days(ticket, strength, now_ms)
    return match.score * ((1.0 if solved is None else solved) * (1.0 if days is None else _recent(days, strength)))


def _solved(ticket: Facts, strength: Factors) -> float | None:
    return 1 + strength.solved if strength.solved and is_solved(ticket) else None


def _days(ticket: Facts, strength: Factors, now_ms: int) -> float | None:
    """Days since the ticket's last change, if they count."""
    changed = ticket.updated_at
    return max(0, now_ms - changed) / _DAY_MS if strength.recent and changed is not None else None


def _recent(days: float, strength: Factors) -> float:
    return float(1 + strength.recent * 0.5 ** (days / strength.half_life_days))


def _age(days: float) -> str:
    if days < 1:
        return "changed today"
    return f"changed {days:,.0f} {'day' if round(days) == 1 else 'days'} ago"
