"""Asks questions, scores the results, and summarises the scores by group of questions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from core.errors import NoTicketError
from core.index import SearchQuery
from maintenance.evaluation.bootstrap import Interval, difference, interval
from maintenance.evaluation.measures import DEPTH, hit, ndcg, recall, reciprocal_rank
from maintenance.evaluation.questions import Question
from runtime.searcher import Searcher

#: The measures of a question that tickets answer, by name.
MEASURES: Final[Mapping[str, Callable[[Sequence[str], Mapping[str, int]], float]]] = {
    f"mrr@{DEPTH}": reciprocal_rank,
    f"recall@{DEPTH}": recall,
    "hit@1": hit,
    f"ndcg@{DEPTH}": ndcg,
}
#: Balanced accuracy of "nothing found": the mean of the shares of right answers to questions that no ticket answers
#: and to the others.
NOTHING: Final = "nothing"
ALL: Final = "all"


class Found(Struct, frozen=True):
    """The tickets that a search found, best first, and whether it said "nothing found"."""

    ticket_ids: tuple[str, ...]
    nothing: bool


class Score(Struct, frozen=True):
    """A question and its result. `scores` are by measure, and empty if no ticket answers."""

    question: Question
    found: Found
    scores: dict[str, float]

    @property
    def right_about_nothing(self) -> float:
        """1 if the search was right to say, or not to say, "nothing found"; else 0."""
        return float(self.found.nothing == self.question.nothing)


class Group(Struct, frozen=True):
    """Figures of the questions of a language or kind, or of all. `figures` are by measure."""

    name: str
    questions: int
    figures: dict[str, Interval]


#: Asks one question.
Ask = Callable[[Question], Found]


def ask_of(searcher: Searcher) -> Ask:
    """A function that asks `searcher`. An unknown ticket finds nothing."""

    def ask(question: Question) -> Found:
        left_out = {*question.without, *filter(None, [question.ticket])}
        query = SearchQuery(tenant_id=question.tenant, limit=DEPTH + len(left_out))
        if not question.ticket:
            answer = searcher.search(question.question, query)
        else:
            try:
                answer = searcher.similar(question.ticket, query)
            except NoTicketError:
                return Found((), nothing=True)
        found = tuple(hit.ticket_id for hit in answer.hits if hit.ticket_id not in left_out)
        return Found(found[:DEPTH], answer.nothing)

    return ask


def score_questions(questions: Iterable[Question], ask: Ask) -> list[Score]:
    """Ask each question once.

    Raises:
        ConfigError, TransientError, UnavailableError: as the search does.
    """
    return [_score(question, ask(question)) for question in questions]


def _score(question: Question, found: Found) -> Score:
    grades = question.grades
    scores = {} if question.nothing else {name: of(found.ticket_ids, grades) for name, of in MEASURES.items()}
    return Score(question, found, scores)


def summarise(scores: Sequence[Score]) -> list[Group]:
    """All questions first, then each kind and each language, if there are several."""
    return [_group(name, members) for name, members in grouped(scores).items()]


def grouped(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """Scores by group: `all`, then kinds, then languages."""
    found = {ALL: list(scores)}
    for names in ([score.question.kind for score in scores], [score.question.language for score in scores]):
        distinct = [name for name in dict.fromkeys(names) if name]
        if len(set(names)) > 1:
            for name in sorted(distinct):
                found[name] = [score for score, own in zip(scores, names, strict=True) if own == name]
    return found


def _group(name: str, members: Sequence[Score]) -> Group:
    return Group(name, len(members), {measure: interval(*strata) for measure, strata in _strata(members).items()})


def _strata(members: Sequence[Score]) -> dict[str, list[list[float]]]:
    """The values of each measure that the members have."""
    answerable = [score for score in members if not score.question.nothing]
    unanswerable = [score for score in members if score.question.nothing]
    found = {name: [[score.scores[name] for score in answerable]] for name in MEASURES} if answerable else {}
    if unanswerable:
        found[NOTHING] = [[score.right_about_nothing for score in part] for part in (answerable, unanswerable)]
    return found


def compare(before: Sequence[Score], after: Sequence[Score]) -> dict[str, Interval]:
    """The gain of each measure over all questions, which both have in the same order."""
    found = {}
    for name in MEASURES:
        pairs = [(b.scores[name], a.scores[name]) for b, a in zip(before, after, strict=True) if b.scores]
        if pairs:
            found[name] = difference([b for b, _ in pairs], [a for _, a in pairs])
    if any(score.question.nothing for score in after):
        gains = {
            kind: [
                a.right_about_nothing - b.right_about_nothing
                for b, a in zip(before, after, strict=True)
                if a.question.nothing is kind
            ]
            for kind in (False, True)
        }
        found[NOTHING] = interval(*gains.values())
    return found
