"""The check separates supported sentences of a small language model from invented ones."""

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from answers.check import Supported, check
from answers.sentences import spans_of
from answers.writer import Draft
from operators.pii.detector import words
from tests.answers.claims import CASES
from tests.answers.threads import evidence
from tests.answers.unseen import UNSEEN

_PYTHON: Final = Path(".smollm/bin/python")
_SYSTEM: Final = "You help a support agent. Answer in three short sentences, in the words of the source."
_QUESTIONS: Final = ("What happened, and what should the customer do?", "Why, and how do I repair it?")
#: Words that a supported sentence may add to its source's.
_OTHER: Final = words(
    "the a an of to in on is are was were be been it its that this and or for with at by from as you your should must "
    "will can customer user cause problem please then also"
)


def _ask(sources: list[str]) -> list[tuple[str, str]]:
    """The model's reply to each question about each source, as (source, reply)."""
    asked = [(source, question) for source in sources for question in _QUESTIONS]
    requests = "".join(
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": _SYSTEM},
                    {"role": "user", "content": f"Source: {source}\n{question}"},
                ],
                "max_tokens": 80,
                "temperature": 0,
            }
        )
        + "\n"
        for source, question in asked
    )
    done = subprocess.run(
        [str(_PYTHON), "tests/rigs/small_model.py"], input=requests.encode(), capture_output=True, check=True
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    return [(source, reply) for (source, _), reply in zip(asked, replies, strict=True)]


@pytest.mark.skipif(not _PYTHON.exists(), reason="there is no .smollm; `make small-model` installs it")
def test_the_check_tells_a_small_model_s_inventions_apart() -> None:
    """Supported sentences have only words, numbers and negations of their source; some are supported, some refused."""
    sources = [case.text for case in CASES if case.language == "en"] + [text for text, _, _ in UNSEEN]
    kept, refused, wrong = [], [], []
    for source, reply in _ask(sources):
        for start, end in spans_of(reply):
            sentence = reply[start:end]
            if isinstance(check(Draft(sentence, (1,)), evidence(source)), Supported):
                kept.append(sentence)
                wrong += [(sentence, source)] * (not _says(sentence, source))
            else:
                refused.append(sentence)
    print("kept:", *kept, "refused:", *refused, sep="\n")
    assert wrong == []
    assert kept
    assert refused


def _says(sentence: str, source: str) -> bool:
    """An independent judge: no new number or negation, and at most one new word."""
    mine, theirs = (re.findall(r"[\w'-]+", text.casefold()) for text in (sentence, source))
    new = [word for word in mine if word not in theirs and word not in _OTHER and word[:4] not in str(theirs)]
    negated = {"not", "never", "no", "don't", "without"}
    return not any(map(str.isdigit, "".join(new))) and len(new) <= 1 and negated & set(mine) <= set(theirs) | {"not"}
