"""The writer without a model: the resolution's own sentences, word for word."""

from collections.abc import Generator, Sequence
from threading import Event
from typing import Final

from msgspec import Struct

from answers.conditions import UNSURE
from answers.evidence import Evidence, Source
from answers.lexicon import NEUTRAL, PRONOUNS, same
from answers.parsed import Reading
from answers.reading import read
from answers.sentences import Span, is_statement, plain, spans_of
from answers.writer import Asked, Draft
from operators.pii.detector import words
from operators.terms import bare, stem

NAME: Final = "extractive"
#: Maximum sentences of an answer, and of the messages before the one that solved the ticket.
_SENTENCES: Final = 5
#: Bonus, counted in words shared with the question, of a sentence with an exact token (a code, a number, a path).
_EXACT_WORTH: Final = 2.0
#: Bonus of the first informative sentence of a message, which usually names the cause.
_FIRST_WORTH: Final = 0.5
#: The maximum content words of a filler sentence, and one more if it has a demonstrative word.
_BARE: Final = 1
#: Demonstrative words, without those that are also articles.
_POINTING: Final = PRONOUNS - words("das die het il la las le les lo los")
#: A sentence of an earlier message belongs to the solution if it shares at least this many words with the solving
#: message.
_SHARED: Final = 2
#: Words that mean something only in a comparison, or that name the subject of every resolution.
_RELATIVE_BY_LANGUAGE: Final = {
    "en": "same other different similar first last next more less once again before after earlier previous later back "
    "already too case ticket matter thing",
    "de": "derselbe dieselbe dasselbe denselben gleiche gleichen andere erste letzte letzten mehr weniger wieder "
    "nochmal erneut zuvor vorher früher später schon bereits mal fall sache ursache grund lösung fehler problem",
    "fr": "même mêmes autre premier première dernier dernière plus encore nouveau avant après auparavant déjà fois "
    "cas chose raison motif solution erreur problème",
    "es": "mismo misma otro otra primero primera último última más menos nuevo antes después anterior ya vez veces "
    "caso cosa causa razón motivo solución error problema",
    "it": "stesso stessa altro altra primo prima ultimo ultima più meno nuovo ancora dopo precedente già volta "
    "volte caso cosa causa ragione motivo soluzione errore problema",
    "pt": "mesmo mesma outro outra primeiro primeira último última mais menos novo antes depois anterior já vez "
    "vezes caso coisa causa razão motivo solução erro problema",
    "nl": "dezelfde hetzelfde ander andere eerste laatste meer minder weer opnieuw eerder later al keer geval zaak "
    "oorzaak reden oplossing fout probleem",
}
_RELATIVE: Final = NEUTRAL | frozenset(
    same(bare(word), stem(word, language))
    for language, listed in _RELATIVE_BY_LANGUAGE.items()
    for word in listed.split()
)


class _Said(Struct, frozen=True):
    """A sentence of a source, and the source's number."""

    number: int
    source: Source
    span: Span

    @property
    def text(self) -> str:
        return self.source.text[slice(*self.span)]

    @property
    def reading(self) -> Reading:
        return read(self.text, self.source.language)

    @property
    def words(self) -> frozenset[str]:
        return _words(self.text, self.source)


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
        for one in _chosen(asked.question, own):
            text = plain(one.text)
            if stop.is_set():
                return
            if text not in told:
                told.add(text)
                yield Draft(text, (one.number,))


def _chosen(question: str, sources: Sequence[tuple[int, Source]]) -> list[_Said]:
    """The best sentences, in order."""
    found = [_Said(number, source, span) for number, source in sources for span in spans_of(source.text)]
    found = _without_filler(question, [one for one in found if is_statement(one.text)])
    if len(found) > _SENTENCES:
        first = {one.number: one for one in reversed(found)}
        worth = {one: _worth(question, one) + _FIRST_WORTH * (first[one.number] == one) for one in found}
        best = sorted(found, key=lambda one: -worth[one])[:_SENTENCES]
        found = [one for one in found if one in best]
    return found


def _without_filler(question: str, said: Sequence[_Said]) -> list[_Said]:
    """The sentences without those that say nothing by themselves.

    Of the message that solved the ticket that is its opening, if something follows; of a message before it, sentences
    that have little to do with the rest.
    """
    last = max((one.source.message for one in said), default=0)
    solution = [one for one in said if one.source.message == last]
    topic = {one.number: _words(question, one.source) | _words(one.source.subject, one.source) for one in said}
    opening = not all(_is_filler(one, topic[one.number]) for one in solution)
    rest = frozenset[str]().union(*(one.words for one in solution))
    kept: list[_Said] = []
    for one in said:
        if one.source.message == last:
            opening = opening and _is_filler(one, topic[one.number])
            belongs = not opening
        else:
            belongs = bool(one.words & topic[one.number]) or len(one.words & rest) >= _SHARED
        if belongs:
            kept.append(one)
    return kept


def _is_filler(one: _Said, topic: frozenset[str]) -> bool:
    """Whether a sentence has no fact, few content words, and no word of the `topic`, judged by its form alone."""
    reading = one.reading
    if reading.exact or reading.paths or any(clause.negations for clause in reading.clauses):
        return False
    most = _BARE + (not reading.forms.isdisjoint(_POINTING))
    limited = not UNSURE.issuperset(reading.conditions)
    return not one.words or (len(one.words) <= most and not limited and topic.isdisjoint(one.words))


def _words(text: str, source: Source) -> frozenset[str]:
    """The content words of a text in its source's language, without those in `_RELATIVE`."""
    return frozenset(read(text, source.language).content) - _RELATIVE


def _worth(question: str, one: _Said) -> float:
    shared = len(set(read(question, one.source.language).content) & set(one.reading.content))
    return shared + _EXACT_WORTH * bool(one.reading.exact or one.reading.paths)
