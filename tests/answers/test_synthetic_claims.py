"""Sentences of the synthetic resolutions, in six languages, support themselves but no mutant."""

import re
from collections.abc import Iterator
from random import Random
from typing import Final

from answers.check import Supported, check
from answers.sentences import is_statement, spans_of
from answers.writer import Draft
from operators.pii.detector import words
from synthetic.facts import facts_of
from synthetic.foreign import FOREIGN
from synthetic.topics import CAUSES
from synthetic.writing import Case, TextGenerator
from tests.answers.threads import evidence

_NOT: Final = {"en": "not", "de": "nicht", "fr": "pas", "es": "no", "it": "non", "nl": "niet"}
_NEGATIONS: Final = words("not don't nicht kein keine pas no non niet geen never without ohne sans sin zonder")


def _resolutions(rng: Random) -> list[tuple[str, str]]:
    texts = TextGenerator(rng)
    causes = [("en", name) for name in CAUSES] + [(code, name) for code, found in FOREIGN.items() for name in found]
    return [
        (
            code,
            texts.fill(
                CAUSES[name].fix if code == "en" else FOREIGN[code][name].fix, Case(CAUSES[name], facts, 7, code)
            ),
        )
        for facts in (facts_of("acme"),)
        for code, name in causes
    ]


def _mutants(sentence: str, language: str, other: str, rng: Random) -> Iterator[str]:
    """The sentence with another number, with a negation added or removed, or with words of another resolution."""
    said = sentence.split()
    for number in re.finditer(r"\d+", sentence):
        changed = str(int(number.group()) + rng.choice((1, 3, 10)))
        yield sentence[: number.start()] + changed + sentence[number.end() :]
    for at in rng.sample(range(1, len(said)), min(3, len(said) - 1)):
        if not said[at - 1].endswith((".", ";", ",", ":")):
            yield " ".join([*said[:at], _NOT[language], *said[at:]])
    if any(word.casefold().strip(".,;") in _NEGATIONS for word in said):
        yield " ".join(word for word in said if word.casefold().strip(".,;") not in _NEGATIONS)
    yield f"{sentence.rstrip('.;!')} {' '.join(other.split()[:5])}."


def test_no_mutant_of_a_sentence_is_supported() -> None:
    """Each sentence is supported, and none of its mutants is."""
    rng = Random(5)
    resolutions = _resolutions(rng)
    lost, passed, mutants = [], [], 0
    for language, text in resolutions:
        found = evidence(text, language=language)
        other = rng.choice([one for code, one in resolutions if code == language and one != text])
        for sentence in (text[start:end] for start, end in spans_of(text)):
            if not is_statement(sentence):
                continue
            lost += [sentence] * (not isinstance(check(Draft(sentence, (1,)), found), Supported))
            for mutant in _mutants(sentence, language, other, rng):
                mutants += 1
                passed += [mutant] * isinstance(check(Draft(mutant, (1,)), found), Supported)
    assert lost == []
    assert passed == []
    assert mutants > 1_000
