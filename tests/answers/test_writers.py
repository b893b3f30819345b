"""The extractive writer, and the writer that parses a language model's output."""

import re
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from itertools import product
from random import Random
from threading import Event
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers.check import Supported, check
from answers.drafts import MAX_DRAFTS, MAX_OUTPUT, DraftReader
from answers.evidence import Evidence
from answers.extractive import ExtractiveWriter
from answers.model_writer import ModelWriter
from answers.prompt import prompt_of, system_of
from answers.sentences import plain, spans_of
from answers.writer import Asked, Declined, Draft, Written
from core.language_model import Delta, End, ModelError, ModelRequest, Tokens
from synthetic.foreign import FOREIGN
from synthetic.phrases import PHRASES
from synthetic.topics import CAUSES
from tests.answers.claims import CASES
from tests.answers.threads import evidence, source

Piece = Delta | Tokens | End | ModelError


class FakeModel:
    """Streams the given pieces; an error among them is raised."""

    name = "fake"

    def __init__(self, *pieces: Piece) -> None:
        self.pieces = pieces
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest, stop: Event) -> Generator[Delta | Tokens | End, None, None]:
        self.requests.append(request)
        for piece in self.pieces:
            if stop.is_set():
                return
            if isinstance(piece, ModelError):
                raise piece
            yield piece


def _write(*pieces: Piece) -> list[Written]:
    writer = ModelWriter(FakeModel(*pieces), max_tokens=100, timeout_s=5, rng=Random(1))
    return list(writer.write(ASKED, evidence("A."), Event()))


LINE = '{"text": "The clock was behind.", "sources": [1]}\n'
STOP = End("stop")
ASKED = Asked(answer_id="a", tenant_id="acme", question="why?")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.language)
def test_extracted_sentences_are_supported(case: str) -> None:
    """The extractive writer's sentences are supported in every language."""
    found = evidence(case.text, language=case.language)  # type: ignore[attr-defined]
    drafts = list(ExtractiveWriter().write(ASKED, found, Event()))
    assert drafts
    assert all(isinstance(check(draft, found), Supported) for draft in drafts)


def test_pleasantries_are_left_out() -> None:
    """The extractive writer leaves out pleasantries and questions."""
    found = evidence("Hi Anna,\n\nThe clock was behind. Is it well now? Press Sync.\n\nKind regards,\nBen")
    texts = [draft.text for draft in ExtractiveWriter().write(ASKED, found, Event())]
    assert texts == ["The clock was behind.", "Press Sync."]


#: By language: openings that say nothing, those that state a cause, and a fix.
OPENINGS: Final = {
    "en": ("We have seen this once more. | We found it.", "The clock was behind. | A lease ran out."),
    "de": ("Es ist dieselbe Ursache wie zuvor. | Das kennen wir schon.", "Die Uhr ging nach. | Der Speicher war voll."),
    "fr": ("La cause est la même que la dernière fois. | C'est un cas déjà vu.", "Le cache était plein."),
    "es": ("La causa es la misma que antes. | He revisado esto.", "La memoria estaba llena."),
    "it": ("La causa è la stessa di prima. | Ho controllato questo.", "La cache era piena."),
    "pt": ("Verifiquei isto. | Encontrámos a causa.", "O relógio estava atrasado."),
    "nl": ("Het is dezelfde oorzaak als eerder. | Ik heb dit bekeken.", "De klok liep achter."),
}  # fmt: skip


@pytest.mark.parametrize("language", OPENINGS)
def test_an_opening_that_says_nothing_is_left_out(language: str) -> None:
    """An opening is recognised by its form in each language; causes, negations and the question's words are kept."""
    fix = "Set lease_ms to 9041."

    def first(opening: str, question: str = "ERR-7?") -> str:
        found = evidence(f"{opening} {fix}", language=language)
        asked = Asked(answer_id="a", tenant_id="acme", question=question)
        return next(ExtractiveWriter().write(asked, found, Event())).text

    fillers, causes = (listed.split(" | ") for listed in OPENINGS[language])
    assert {first(filler) for filler in fillers} == {fix}
    assert [first(cause) for cause in causes] == causes
    assert first(fillers[0], question=f"{fillers[0]} ERR-7?") in {fillers[0], fix}
    assert language != "en" or first("This does not work.") == "This does not work."


def test_synthetic_openings_are_left_out_and_no_fix_is() -> None:
    """This holds for all causes in six languages, each after every opening of repeated advice."""
    told = Counter[str]()
    fixes = {"en": [cause.fix for cause in CAUSES.values()]}
    fixes |= {language: [cause.fix for cause in causes.values()] for language, causes in FOREIGN.items()}
    for language, phrases in PHRASES.items():
        openings = [opening for opening in phrases.again if opening.endswith(".")]  # else it is part of what follows
        for text, opening in product(fixes[language], openings):
            fix = re.sub(r"\{\w+\}", "X-42", text)
            own = {plain(fix[slice(*span)]) for span in spans_of(fix)}
            found = evidence(f"{opening} {fix}", language=language)
            said = [draft.text for draft in ExtractiveWriter().write(ASKED, found, Event())]
            told["kept"] += sum(text in own for text in said)
            told["lost"] += len(own - set(said))
            told["filler"] += sum(text not in own for text in said)
    assert told["kept"] > 300
    assert (told["filler"], told["lost"]) == (0, 0)


def test_a_message_before_the_resolution_gives_what_belongs_to_it() -> None:
    """A cause with words of the question or the fix is kept, and a promise to look into it is not."""
    promise = "The team that looks after this will be back by Monday."
    first = source(f"{promise} The lease ran out, which ERR-7 means.", message=0)
    fix = source("Set the lease to 9041.", message=1)
    asked = Asked(answer_id="a", tenant_id="acme", question="what does ERR-7 mean?")
    found = Evidence(sources=(fix, first), confidence=1, model="m")
    said = [draft.text for draft in ExtractiveWriter().write(asked, found, Event())]
    assert said == ["The lease ran out, which ERR-7 means.", "Set the lease to 9041."]


def test_of_a_long_message_the_sentences_like_the_question_are_taken() -> None:
    """Of a long message the five sentences most like the question are taken, in their order."""
    filler = " ".join(f"The weather was nice in {name} then." for name in ("Rome", "Paris", "Oslo", "Bern", "Kyiv"))
    found = evidence(f"{filler} The clock of the server was behind. {filler} Press Sync in build 7.1.")
    texts = [
        draft.text
        for draft in ExtractiveWriter().write(
            Asked(answer_id="a", tenant_id="acme", question="clock of the server"), found, Event()
        )
    ]
    assert len(texts) == 5
    assert texts.index("The clock of the server was behind.") < texts.index("Press Sync in build 7.1.")


def test_lines_are_read_as_they_arrive() -> None:
    """A draft is yielded as soon as its line is complete, however the output is cut into pieces."""
    pieces = [Delta(character) for character in LINE + LINE.rstrip()]
    assert _write(*pieces, Tokens(10, 5), STOP) == [
        Draft("The clock was behind.", (1,)),
        Tokens(10, 5),
        Draft("The clock was behind.", (1,)),
    ]


def test_a_model_may_decline() -> None:
    """`{"refuse": true}` declines."""
    assert _write(Delta('{"refuse": true}'), STOP) == [Declined()]


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ((Delta(LINE),), "cut_off"),
        ((), "cut_off"),
        ((Delta(LINE), End("filtered")), "failed"),
        ((Delta("once upon a time\n" * 20), STOP), "protocol"),
        ((Delta(LINE * (MAX_DRAFTS + 1)), STOP), "too_long"),
        ((*[Delta("x" * 1_000)] * 10, STOP), "too_long"),
        ((*[Delta("\n" * 1_000)] * (MAX_OUTPUT // 1_000 + 1), STOP), "too_long"),
        ((Delta(LINE), ModelError("no", kind="throttled")), "throttled"),
    ],
)
def test_a_model_that_fails_is_told_by_its_kind(pieces: tuple[Piece, ...], kind: str) -> None:
    """The error's kind says whether the output was cut off, filtered, malformed or too long, or is the model's own."""
    with pytest.raises(ModelError) as caught:
        _write(*pieces)
    assert caught.value.kind == kind


def test_at_the_maximum_of_tokens_the_unfinished_line_is_dropped() -> None:
    """If the tokens run out, the unfinished line is dropped and earlier sentences are kept."""
    assert _write(Delta(LINE + LINE[:-1]), End("length")) == [Draft("The clock was behind.", (1,))]


def test_fences_and_a_few_lines_of_chatter_are_passed_over() -> None:
    """Code fences and a few lines of chatter are skipped."""
    assert len(_write(Delta(f"Sure!\n```json\n[\n{LINE}]\n```\n"), STOP)) == 1


@pytest.mark.parametrize(
    "line",
    [
        '{"text": 5}',
        '{"text": "a", "sources": ["1"]}',
        '{"text": "a", "sources": [1.5]}',
        "[" * 5_000,
        "\ud800",
        "null",
    ],
)
def test_lines_of_another_form_are_garbage(line: str) -> None:
    """A line that isn't a draft is dropped, and the lines after it are read."""
    assert _write(Delta(line[:3_000] + "\n" + LINE), STOP) == [Draft("The clock was behind.", (1,))]


@given(st.lists(st.text(max_size=200), max_size=20))
def test_any_output_is_read_or_refused(pieces: list[str]) -> None:
    """Any output is parsed, or raises ModelError."""
    reader = DraftReader()
    with suppress(ModelError):
        for piece in pieces:
            list(reader.feed(piece))
        list(reader.end())


def test_a_model_that_repeats_its_rules_has_failed() -> None:
    """Output that contains the canary of the system prompt raises ModelError."""
    model = FakeModel()
    writer = ModelWriter(model, max_tokens=1, timeout_s=1, rng=Random(1))
    with pytest.raises(ModelError):
        list(writer.write(ASKED, evidence("A."), Event()))
    canary = model.requests[0].system.rsplit(" ", 1)[1].strip(".\n")
    with pytest.raises(ModelError) as caught:
        _write(Delta(msgspec.json.encode({"text": f"The word is {canary}.", "sources": [1]}).decode() + "\n"), STOP)
    assert caught.value.kind == "protocol"


def test_a_stopped_model_is_not_waited_for() -> None:
    """After a stop the writer ends without the rest of the output."""
    stop = Event()
    writer = ModelWriter(FakeModel(Delta(LINE), Delta(LINE)), max_tokens=1, timeout_s=1, rng=Random(1))
    drafts = writer.write(ASKED, evidence("A."), stop)
    next(drafts)
    stop.set()
    assert list(drafts) == []


@given(st.text(max_size=200), st.text(min_size=1, max_size=200))
def test_tickets_are_data_in_the_prompt(question: str, text: str) -> None:
    """The question and each source are one line of JSON in the prompt, whatever they contain."""
    lines = prompt_of(question, evidence(text)).split("\n")
    assert len(lines) == 2
    assert set(msgspec.json.decode(lines[0])) == {"question"}
    assert msgspec.json.decode(lines[1])["source"] == 1
    assert "{" not in system_of("canary").replace('{"text": "<one sentence>", "sources": [<number>]}', "").replace(
        '{"refuse": true}', ""
    )
