"""The writer without a model: the resolution's own sentences, word for word."""

from collections.abc import Generator, Sequence
from threading import Event
from typing import Final

from answers.evidence import Evidence, Source
from answers.ports import Asked, Draft
from answers.reading import read
from answers.sentences import Span, is_statement, plain, spans_of

NAME: Final = "extractive"
#: Maximum sentences of an answer, and of the messages before the one that solved the ticket.
_SENTENCES: Final = 5
#: Bonus, in common words with the question, of a sentence with an exact token (a code, a number, a path).
_EXACT_WORTH: Final = 2.0
#: Bonus of the first sentence of a message, which mostly names the cause.
_FIRST_WORTH: Final = 0.5


class ExtractiveWriter:
    """Implements `Writer` with the best resolution's sentences that are most like the question, in their own order."""

    @property
    def name(self) -> str:
        """See `Writer`."""
        return NAME

    def write(self, asked: Asked, evidence: Evidence, stop: Event) -> Generator[Draft, None, None]:
        """See `Writer`. Never fails."""
        if not evidence.sources:
            return
        first = evidence.sources[0]
        # the messages of one ticket in the order in which they were sent: the cause, then the fix
        own = [(n, s) for n, s in enumerate(evidence.sources, 1) if s.ticket_id == first.ticket_id]
        own.sort(key=lambda one: (one[1].message, one[1].chunk))
        told: set[str] = set()
        for number, source, (start, end) in _chosen(asked.question, own):
            text = plain(source.text[start:end])
            if stop.is_set():
                return
            if text not in told:
                told.add(text)
                yield Draft(text, (number,))


def _chosen(question: str, sources: Sequence[tuple[int, Source]]) -> list[tuple[int, Source, Span]]:
    """The best sentences, in order."""
    found = [(number, source, span) for number, source in sources for span in spans_of(source.text)]
    found = [one for one in found if is_statement(one[1].text[slice(*one[2])])]
    if len(found) > _SENTENCES:
        worth = {one: _worth(question, *one[1:]) for one in found}
        best = sorted(found, key=lambda one: -worth[one])[:_SENTENCES]
        found = [one for one in found if one in best]
    return found


def _worth(question: str, source: Source, span: Span) -> float:
    wanted, sentence = read(question, source.language), read(source.text[slice(*span)], source.language)
    shared = len(set(wanted.content) & set(sentence.content))
    return shared + _EXACT_WORTH * bool(sentence.exact or sentence.paths) + _FIRST_WORTH * (span[0] == 0)
