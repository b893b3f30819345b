"""The events of an answer: their order, the writer that is chosen, and refusals."""

from collections.abc import Generator
from threading import Event as Stop

import msgspec
import pytest

from answers.answer import MAX_SENTENCES, answer
from answers.chain import Chain, Link
from answers.events import Done, Event, Refusal, Sentence, Sources, Usage
from answers.evidence import Evidence
from answers.extractive import ExtractiveWriter
from answers.key import answer_key
from answers.writer import Asked, Declined, Draft, Written
from core.language_model import ModelError, ModelErrorKind, Tokens
from tests.answers.threads import evidence

A, B = "The clock was 12 minutes behind.", "Press Sync in Admin > Groups."
GOOD = Draft(A, (1,))
FALSE = Draft("The clock was 13 minutes behind.", (1,))
FOUND = evidence(f"{A} {B}", "Install build 7.")
OTHER = Draft("Install build 7.", (2,))


class Scripted:
    """A writer that yields and raises what it is given."""

    def __init__(self, script: tuple[Written | ModelError, ...] = (), *, name: str = "model") -> None:
        self.name = name
        self.script = script
        self.asked = 0
        self.closed = 0

    def write(self, asked: Asked, evidence: Evidence, stop: Stop) -> Generator[Written, None, None]:
        assert asked.question
        assert evidence.sources
        assert not stop.is_set()
        self.asked += 1
        try:
            for piece in self.script:
                if isinstance(piece, ModelError):
                    raise piece
                yield piece
        finally:
            self.closed += 1


class Notes:
    """An observer that keeps its calls."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def unsupported(self, writer: str, reason: str) -> None:
        self.notes.append(f"{writer} {reason}")

    def failed(self, writer: str, error: ModelError) -> None:
        self.notes.append(f"{writer} {error.kind}")


def _link(writer: Scripted, *, deadline_s: float = 10) -> Link:
    return Link(writer=writer, deadline_s=deadline_s)


def _chain(*links: Link) -> Chain:
    return Chain(links=(*links, Link(writer=ExtractiveWriter())))


def _asked(min_confidence: float = 0.4) -> Asked:
    return Asked(answer_id="a", tenant_id="acme", question="why?", min_confidence=min_confidence)


def _events(chain: Chain, found: Evidence = FOUND, stop: Stop | None = None) -> list[Event]:
    return list(answer(_asked(), found, chain, stop or Stop()))


def _texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Sentence)]


def test_the_events_come_in_order() -> None:
    """An answer is its sources, then sentences, then the usage, then the end."""
    events = _events(_chain(_link(Scripted((GOOD, Tokens(7, 3))))))
    assert [type(event) for event in events] == [Sources, Sentence, Usage, Done]
    assert events[0] == Sources("a", FOUND.sources)
    assert events[2] == Usage("model", 7, 3)
    assert events[3] == Done("a", "answered")


@pytest.mark.parametrize("found", [evidence(confidence=0.9), evidence(A, confidence=0.39)])
def test_without_good_evidence_nobody_is_asked(found: Evidence) -> None:
    """Without confident evidence the answer is a refusal that lists the nearest tickets, and no model is called."""
    writer = Scripted((GOOD,))
    events = _events(_chain(_link(writer)), found)
    assert events[0] == Sources("a", found.sources)
    assert [type(event) for event in events] == [Sources, Refusal, Usage, Done]
    assert events[1].reason == "nothing_found"  # type: ignore[union-attr]
    assert events[3] == Done("a", "refused")
    assert not writer.asked


def test_a_refusal_names_the_nearest_tickets() -> None:
    """If nothing was found, the nearest tickets are the only sources; if no ticket is near, there are no sources."""
    found = evidence(*(f"Turn key {n}." for n in range(5)), confidence=0.2)
    sources, refusal = _events(_chain(), found)[:2]
    assert sources == Sources("a", found.sources[:3])
    assert isinstance(refusal, Refusal)
    assert refusal.nearest == (1, 2, 3)
    far = msgspec.structs.replace(found, nothing=True)
    assert _events(_chain(), far)[0] == Sources("a", ())
    sources, refusal = _events(Chain(links=()), msgspec.structs.replace(found, confidence=0.9))[:2]
    assert sources == Sources("a", found.sources)  # they were sent before a writer was asked
    assert isinstance(refusal, Refusal)
    assert refusal.nearest == (1, 2, 3)


def test_unsupported_sentences_are_not_sent() -> None:
    """Only supported sentences are sent, and a repeated one only once."""
    notes = Notes()
    chain = Chain(links=(_link(Scripted((FALSE, GOOD, GOOD, Draft(B, (9,))))),), observer=notes)
    assert _texts(_events(chain)) == [A]
    assert notes.notes == ["model exact", "model no_source"]


def test_without_a_supported_sentence_the_next_writer_is_asked() -> None:
    """A writer without a supported sentence is replaced by the next, and the usage says why."""
    events = _events(_chain(_link(Scripted((FALSE,)))))
    assert _texts(events) == [A, B]
    assert events[-2] == Usage("extractive", 0, 0, "model wrote nothing that the sources support")


def test_an_answer_is_bounded_although_sentences_waited() -> None:
    """Of more sentences than an answer may have the last ones are sent, with the one that cites the best resolution."""
    steps = [f"Install build {number}." for number in range(MAX_SENTENCES + 2)]
    found = evidence(A, " ".join(steps))
    script = (*(Draft(step, (2,)) for step in steps), GOOD, Draft(steps[0], (2,)))
    assert _texts(_events(_chain(_link(Scripted(script))), found)) == [*steps[3:], A]


def test_sentences_wait_for_one_that_cites_the_best_resolution() -> None:
    """Sentences are held until one cites the best resolution; if none does, they are dropped."""
    assert _texts(_events(_chain(_link(Scripted((OTHER, GOOD)))))) == ["Install build 7.", A]
    events = _events(_chain(_link(Scripted((OTHER,)))))
    assert _texts(events) == [A, B]
    assert events[-2] == Usage("extractive", 0, 0, "model cited no good source")


@pytest.mark.parametrize(
    ("script", "reason"), [((FALSE,), "unsupported"), ((OTHER,), "not_relevant"), ((Declined(),), "not_relevant")]
)
def test_a_refusal_says_why(script: tuple[Written, ...], reason: str) -> None:
    """A refusal says that nothing was supported, or that nothing was relevant."""
    events = _events(Chain(links=(_link(Scripted(script)),)))
    refusals = [event for event in events if isinstance(event, Refusal)]
    assert [one.reason for one in refusals] == [reason]
    assert events[-1] == Done("a", "refused")


def test_a_model_that_declines_is_believed() -> None:
    """A model that declines ends the answer; the next writer isn't called."""
    events = _events(_chain(_link(Scripted((Declined(),)))))
    assert _texts(events) == []


def test_a_model_that_fails_is_followed_by_the_next() -> None:
    """After a model's failure the next one writes, and the usage names the failure."""
    second = Scripted((GOOD,), name="second")
    events = _events(_chain(_link(Scripted((ModelError("no", kind="throttled"),))), _link(second)))
    assert _texts(events) == [A]
    assert events[-2] == Usage("second", 0, 0, "model failed (throttled)")


def test_after_the_first_sentence_nobody_else_is_asked() -> None:
    """A failure after the first sentence ends a degraded answer with the sentences that were sent."""
    second = Scripted((GOOD,), name="second")
    events = _events(_chain(_link(Scripted((GOOD, ModelError("no", kind="cut_off")))), _link(second)))
    assert _texts(events) == [A]
    assert events[-2:] == [Usage("model", 0, 0, "model failed (cut_off)"), Done("a", "answered")]
    assert not second.asked


def test_without_any_writer_left_the_refusal_says_so() -> None:
    """If every writer fails, the reason of the refusal is no_model."""
    events = _events(Chain(links=(_link(Scripted((ModelError("no", kind="timeout"),))),)))
    assert [event.reason for event in events if isinstance(event, Refusal)] == ["no_model"]


def test_a_writer_that_takes_too_long_is_left() -> None:
    """A writer that exceeds its deadline before its first sentence is replaced by the next."""
    seconds = iter(range(0, 1_000, 6))
    chain = Chain(
        links=(_link(Scripted((FALSE, FALSE, FALSE, GOOD))), Link(writer=ExtractiveWriter())),
        clock=lambda: float(next(seconds)),
    )
    events = _events(chain)
    assert _texts(events) == [A, B]
    assert events[-2] == Usage("extractive", 0, 0, "model failed (timeout)")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("over_budget", "today's tokens are used up"),
        ("circuit_open", "model is unavailable"),
        ("denied", "model failed (denied)"),
    ],
)
def test_an_answer_says_why_it_is_degraded(kind: ModelErrorKind, why: str) -> None:
    """The usage says why an answer is degraded, and includes the tokens of the failed attempt."""
    notes = Notes()
    failing = Scripted((Tokens(5, 1), ModelError("no", kind=kind)))
    chain = Chain(links=(_link(failing), Link(writer=ExtractiveWriter())), observer=notes)
    assert _events(chain)[-2] == Usage("extractive", 5, 1, why)
    assert notes.notes == [f"model {kind}"]
    assert failing.closed == 1


def test_a_stop_ends_the_events() -> None:
    """After a stop no more events are sent, so the stream lacks its last event."""
    stop, writer = Stop(), Scripted((GOOD, Draft(B, (1,))))
    chain = _chain(_link(writer))
    events: list[Event] = []
    for event in answer(_asked(), FOUND, chain, stop):
        events.append(event)
        if isinstance(event, Sentence):
            stop.set()
    assert [type(event) for event in events] == [Sources, Sentence]
    assert writer.closed == 1


def test_a_reader_who_leaves_closes_the_writer() -> None:
    """Closing the generator of events closes the writer."""
    writer = Scripted((GOOD, Draft(B, (1,))))
    events = answer(_asked(), FOUND, _chain(_link(writer)), Stop())
    next(events)
    next(events)
    events.close()
    assert writer.closed == 1


def test_an_answer_checked_by_other_rules_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release with other rules for claims has other keys."""

    def key() -> str:
        return answer_key("why?", FOUND, _chain(), tenant_id="acme", audience="agents", min_confidence=0.4)

    before = key()
    monkeypatch.setattr("answers.key._CHECK", "1")
    assert key() != before


def test_the_key_changes_with_everything_an_answer_depends_on() -> None:
    """The cache key changes with the sources, tenant, audience, question, confidence and models."""
    chain = _chain()

    def key(question: str = "why?", found: Evidence = FOUND, tenant: str = "acme", audience: str = "agents") -> str:
        return answer_key(question, found, chain, tenant_id=tenant, audience=audience, min_confidence=0.4)

    same = key()
    assert key("  why? ") == same
    others = {key("who?"), key(found=evidence(A, B)), key(tenant="borealis"), key(audience="customers")}
    low = evidence(f"{A} {B}", "Install build 7.", confidence=0.1)
    others |= {
        key(found=low),
        key(found=msgspec.structs.replace(low, nothing=True)),
        answer_key("why?", FOUND, _chain(_link(Scripted())), tenant_id="acme", audience="agents", min_confidence=0.4),
    }
    assert same not in others
    assert len(others) == 7
