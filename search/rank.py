"""Bounded ranking factors: solved and recent tickets rank higher among similar matches."""

from collections.abc import Mapping
from math import prod
from typing import Final

from msgspec import Struct

from core.payload import PayloadValue
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


def rank(matches: list[Match], strength: Factors, now_ms: int) -> list[Ranked]:
    """The matches with their factors, best first. Ties are ordered by ticket."""
    ranked = [_ranked(match, factors_of(match.candidate.payload, strength, now_ms)) for match in matches]
    return sorted(ranked, key=lambda one: (-one.score, one.match.candidate.ticket_id))


def is_solved(payload: Mapping[str, PayloadValue]) -> bool:
    """Whether the ticket of this payload is solved, and not open again."""
    return payload.get("solved") == "yes"


def factors_of(payload: Mapping[str, PayloadValue], strength: Factors, now_ms: int) -> tuple[Factor, ...]:
    """The factors that apply to a ticket. Each is between 1 and 1 plus its strength."""
    found = []
    if strength.solved and is_solved(payload):
        found.append(Factor("solved", 1 + strength.solved, "solved"))
    changed = payload.get("updated_at")
    if strength.recent and isinstance(changed, int):
        days = max(0, now_ms - changed) / _DAY_MS
        found.append(Factor("recent", 1 + strength.recent * 0.5 ** (days / strength.half_life_days), _age(days)))
    return tuple(found)


def _ranked(match: Match, factors: tuple[Factor, ...]) -> Ranked:
    """A score of 0 or less stays as it is: a factor above 1 would lower it."""
    return Ranked(match, factors, match.score * prod(one.value for one in factors) if match.score > 0 else match.score)


def _age(days: float) -> str:
    if days < 1:
        return "changed today"
    return f"changed {days:,.0f} {'day' if round(days) == 1 else 'days'} ago"
