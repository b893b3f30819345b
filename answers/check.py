"""The check of each sentence before it is sent: one sentence of a cited source must support it.

It uses no model and no meaning: it compares numbers, names, words, negations and conditions. It is built to pass no
false claim, and therefore also refuses some good paraphrases.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from answers.clauses import (
    are_others,
    flips_clause,
    is_quoted,
    misplaces_later_word,
    replaces_pronoun,
    restricts_others,
    says_clause,
    swaps_aim,
    swaps_voice,
)
from answers.events import Citation
from answers.evidence import Evidence, Source
from answers.lexicon import DONE, FIX, NEUTRAL, OURS, PASSIVE, PEOPLE, YOURS, opposites
from answers.omissions import leaves_out
from answers.parsed import Clause, Reading
from answers.quantities import normalised
from answers.reading import read
from answers.sentences import is_statement, spans_of
from answers.writer import Draft
from operators.invisible import remove_invisible

#: Minimum share of a claim's content words in the sentence. The others are in neighbouring sentences, or neutral.
COVERAGE: Final = 0.7
#: Minimum share of each clause's content words in the sentence itself.
_OF_CLAUSE: Final = 0.5
#: Maximum words such as "the cause" in a claim, and maximum pairs of its and a sentence's clauses.
_MOST_NEUTRAL: Final = 2
_MOST_PAIRS: Final = 2_500
#: Maximum statements that a claim joins.
_MOST_PARTS: Final = 8
#: Maximum characters of a claim.
_MAX_CLAIM: Final = 1_200
#: Maximum sentences of a source that a claim is compared with: those with the most common words.
_ALIGNED: Final = 4

_MARKUP: Final = re.compile(
    r"<[a-zA-Z/!?]|\]\(|!\[|\[\[|`|\*\*|__|~~|&#?\w+;|javascript:|data:|[a-z][a-z0-9+.-]*://|\bwww\.|\{\{|\$\{|"
    r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|^\s*(?:[#>|]|- \[|\d+\. \[)",
    re.IGNORECASE,
)
#: Source numbers at the end of a claim, in the forms that models write.
_NUMBERS: Final = re.compile(r"(?:\s*\[\d{1,2}(?:,\s*\d{1,2})*\])+(?=[.!]?\s*$)")
#: Symbols that a claim may have although its sources lack them: an arrow, a minus and an apostrophe.
_SYMBOLS: Final = frozenset("→−´")  # noqa: RUF001
#: Categories of characters that no sentence needs: controls, formats, private and unassigned ones, surrogates.
_BAD: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


class Supported(Struct, frozen=True):
    """A sentence that may be sent, with its citations."""

    text: str
    citations: tuple[Citation, ...]


class Unsupported(Struct, frozen=True):
    """A sentence that may not be sent. `reason` is a label of metrics."""

    reason: str


def check(draft: Draft, evidence: Evidence) -> Supported | Unsupported:
    """Whether each sentence of a draft is supported by a sentence of a source that the draft cites."""
    text = _NUMBERS.sub("", " ".join(draft.text.split()))
    cited = [number for number in dict.fromkeys(draft.sources) if 1 <= number <= len(evidence.sources)]
    if not text or not cited:
        return Unsupported("empty" if cited else "no_source")
    fault = _fault_of(text, "\n".join(evidence.sources[number - 1].text for number in cited))
    if fault is not None:
        return Unsupported(fault)
    citations: dict[Citation, None] = {}
    for start, end in spans_of(text):
        found = _align(text[start:end], cited, evidence)
        if isinstance(found, Unsupported):
            return found
        citations.update(dict.fromkeys(found))
    return Supported(text, tuple(citations)) if citations else Unsupported("empty")


def _fault_of(text: str, sources: str) -> str | None:
    """The fault of a text's characters or form, or None."""
    if len(text) > _MAX_CLAIM:
        return "too_long"
    if remove_invisible(text) != text or any(unicodedata.category(c) in _BAD for c in text if not c.isspace()):
        return "invisible"
    if any(match.group() not in sources for match in _MARKUP.finditer(text)):
        return "markup"
    known = frozenset(sources)
    foreign = [c for c in unicodedata.normalize("NFC", text) if not c.isascii() and c not in known]
    if any(_is_lookalike(c) for c in foreign):
        return "lookalike"
    if any(unicodedata.category(c)[0] == "S" and c not in _SYMBOLS for c in foreign):
        return "symbol"
    return None


def _is_lookalike(character: str) -> bool:
    """Whether a character that the sources lack is a mark, a digit, or no letter of the Latin alphabets."""
    kind = unicodedata.category(character)[0]
    if kind == "L":  # some stand for others, as the long s does
        return not "\xaa" <= character <= "\u024f" or unicodedata.normalize("NFKC", character) != character
    return kind in "MN"


def _align(claim: str, cited: Sequence[int], evidence: Evidence) -> tuple[Citation, ...] | Unsupported:
    """The sentence of a source that supports a claim, or sentences of one source for a joined claim."""
    parts, reason = _parts_of(claim), "coverage"
    for number in cited:
        source = evidence.sources[number - 1]
        found = _align_to(claim, number, source)
        if isinstance(found, Citation):
            return (found,)
        reason = found
        whole = read(claim, source.language)
        if 1 < len(parts) <= _MOST_PARTS and not whole.conditions and not whole.ordered:
            joined = [one for part in parts if isinstance(one := _align_whole(part, number, source), Citation)]
            places = [one.start for one in joined]
            if len(joined) == len(parts) and places == sorted(set(places)):
                return tuple(joined)
    return Unsupported(reason)


_PARTS: Final = re.compile(r";\s+|,?\s+(?:and then|and|then|und dann|und|et|y|e|en)\s+|,\s+", re.IGNORECASE)


def _parts_of(claim: str) -> list[str]:
    """The statements that a claim joins, each of which must be supported on its own."""
    return [part for part in _PARTS.split(claim) if part.strip(" .!")]


def _align_whole(part: str, number: int, source: Source) -> Citation | str:
    """The sentence that supports a part of a joined claim. The part must say its first clause, with the verb."""
    found = _align_to(part, number, source)
    if isinstance(found, Citation):
        sentence = read(source.text[found.start : found.end], source.language)
        return found if says_clause(read(part, source.language), sentence) else "coverage"
    return found


def _align_to(claim: str, number: int, source: Source) -> Citation | str:
    """The sentence of the source that supports the claim, or the reason why none does."""
    language = source.language
    if claim.rstrip("\"'”’) ").endswith(("?", "？", "؟")):  # noqa: RUF001 - the full-width one is meant
        return "question"
    wanted, same = read(claim, language), normalised(claim).strip(" .!")
    spans = [span for span in spans_of(source.text) if is_statement(source.text[slice(*span)])]
    readings = [read(source.text[start:end], language) for start, end in spans]
    everywhere = frozenset(word for reading in readings for word in reading.content)
    shared = Counter(wanted.content)
    order = sorted(range(len(spans)), key=lambda at: -sum((shared & Counter(readings[at].content)).values()))
    reason = "coverage"
    for place, at in enumerate(order[:_ALIGNED]):
        start, end = spans[at]
        if normalised(source.text[start:end]).strip(" .!") == same:
            return Citation(number, start, end)
        fault = _contradiction(wanted, readings[at], everywhere)
        if fault is None and is_quoted(wanted, source.text[start:end], language):
            fault = "quotation"
        if fault is None:
            return Citation(number, start, end)
        reason = fault if place == 0 else reason
    return reason


def _contradiction(claim: Reading, sentence: Reading, everywhere: frozenset[str]) -> str | None:
    """The reason why a sentence doesn't support a claim, or None."""
    known = frozenset(sentence.content)
    faults: dict[str, Callable[[], bool]] = {
        "too_long": lambda: len(claim.clauses) * len(sentence.clauses) > _MOST_PAIRS,
        "empty": lambda: not claim.content,
        "exact": lambda: not _holds_in_order(claim.exact, sentence.exact),
        "place": lambda: misplaces_later_word(claim, sentence),
        "name": lambda: not _holds_in_order(claim.names, sentence.content),
        "path": lambda: not all(path in sentence.plain for path in claim.paths),
        "condition": lambda: claim.conditions != sentence.conditions,
        "scope": lambda: restricts_others(claim, sentence),
        "opposite": lambda: _is_flipped(claim.forms, sentence.forms) or flips_clause(claim, sentence),
        "order": lambda: _is_reordered(claim, sentence),
        "aim": lambda: swaps_aim(claim, sentence),
        "person": lambda: are_others(claim, sentence),
        "addition": lambda: (
            not set(claim.content) - _neutral(claim, sentence)
            <= (known | everywhere if sentence.refers and replaces_pronoun(claim, sentence) else known)
        ),
        "coverage": lambda: not _covered(claim, sentence, known),
        "omission": lambda: leaves_out(claim, sentence),
        "negation": lambda: not all(_same_outcome(clause, sentence) for clause in claim.clauses),
    }
    for reason, fails in faults.items():
        if fails():
            return reason
    return None if all(_same_negation(clause, sentence, known) for clause in claim.clauses) else "negation"


def _neutral(claim: Reading, sentence: Reading) -> frozenset[str]:
    """Content words that any sentence may have, if few; people only as the subject of a clause that may be theirs."""
    if len(NEUTRAL.intersection(claim.content).difference(sentence.content)) > _MOST_NEUTRAL:
        return frozenset()
    neutral = NEUTRAL if claim.forms.isdisjoint(DONE) else NEUTRAL - FIX
    begun = {clause.content[0] for clause in sentence.clauses if clause.content}
    subjects = (clause.content[0] for clause in claim.clauses if not begun.isdisjoint(clause.content[1:2]))
    people = PEOPLE.intersection(subjects)
    if not sentence.forms.isdisjoint(OURS):
        people -= {"customer"}
    return neutral | people if sentence.forms.isdisjoint(YOURS) else neutral | people & {"customer"}


def _holds_in_order(wanted: Sequence[str], held: Sequence[str]) -> bool:
    """Whether all of `wanted` occur in `held`, in the same order, because swapping numbers changes the meaning."""
    rest = iter(held)
    return all(any(one == other for other in rest) for one in wanted)


def _is_reordered(claim: Reading, sentence: Reading) -> bool:
    """Whether words are swapped so that the meaning changes: around "before", or around a verb."""
    if claim.ordered or sentence.ordered:
        shared = set(claim.content) & set(sentence.content)
        one, other = (
            [word for word in dict.fromkeys(words) if word in shared] for words in (claim.content, sentence.content)
        )
        return one != other
    if PASSIVE.isdisjoint(claim.forms) != PASSIVE.isdisjoint(sentence.forms):
        return swaps_voice(claim, sentence)
    at = {word: place for place, word in reversed(list(enumerate(sentence.content)))}
    for place in claim.openers:
        word, *after = claim.content[place : place + 2]
        if after and word in sentence.names and -1 < at.get(after[0], -1) < at[word]:
            return True  # a name has become the subject
    places = [at.get(word, -1) for word in claim.content]
    return any(
        last >= 0 and first > middle > last for first, middle, last in zip(places, places[1:], places[2:], strict=False)
    )


def _is_flipped(claim: frozenset[str], sentence: frozenset[str]) -> bool:
    """Whether a word of the claim has its opposite in the sentence instead."""
    return any((opposites(word) & sentence) - claim for word in claim - sentence)


def _covered(claim: Reading, sentence: Reading, known: frozenset[str]) -> bool:
    if sum(word in known for word in claim.content) < COVERAGE * len(claim.content):
        return False
    if len(claim.content) == 1 and not says_clause(claim, sentence):
        return False
    return all(_share(clause, known) >= _OF_CLAUSE for clause in claim.clauses if clause.content)


def _share(clause: Clause, known: frozenset[str]) -> float:
    return sum(word in known for word in clause.content) / len(clause.content)


def _same_outcome(clause: Clause, sentence: Reading) -> bool:
    """Whether a clause treats its words as the sentence does: as true, denied, avoided or failed."""
    plain, denied, averted = set[str](), set[str](), set[str]()
    for other in sentence.clauses:
        (averted if other.averts else denied if other.negations else plain).update(other.content)
    words = (plain | denied | averted).intersection(clause.content)
    if clause.averts:
        return words <= averted
    return words.isdisjoint((averted - denied if clause.negations else averted | denied) - plain)


def _same_negation(clause: Clause, sentence: Reading, known: frozenset[str]) -> bool:
    """Whether the sentence's most similar clauses have the same number of negations as each clause."""
    words = frozenset(clause.content) & known
    if not words:
        return not clause.negations
    likeness = [len(words.intersection(other.content)) for other in sentence.clauses]
    best = max(likeness, default=0)
    alike: Iterator[Clause] = (
        other for other, shared in zip(sentence.clauses, likeness, strict=True) if shared == best
    )
    return any(other.negations == clause.negations for other in alike)
