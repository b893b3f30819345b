"""The plan of an answer: sources, then sentences that passed the check or a refusal, then usage, then done."""

from collections.abc import Generator, Iterator
from threading import Event as Stop
from typing import Final

from msgspec import Struct

from answers.chain import FINAL_KINDS, Chain, Link
from answers.check import Unsupported, check
from answers.events import Done, Event, Refusal, RefusalReason, Sentence, Sources, Usage
from answers.evidence import Evidence
from answers.ports import Declined, Draft
from core.language_model import ModelError, Tokens

#: The confidence below which the evidence is not about the question (docs/answers.md).
MIN_CONFIDENCE: Final = 0.4
#: Most sentences of an answer.
MAX_SENTENCES: Final = 8

#: What a person is told.
TEXTS: Final[dict[RefusalReason, str]] = {
    "nothing_found": "No solved ticket is likely to answer this. The nearest ones are listed, if there are any.",
    "unsupported": "The solved tickets don't support an answer, so none is shown. Look at the sources themselves.",
    "not_relevant": "The solved tickets that were found don't answer this. Look at the sources themselves.",
    "no_model": "No model is available to write an answer. Look at the sources themselves, or try again later.",
}


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked, and for whom.

    Attributes:
        min_confidence: evidence of less is refused.
    """

    answer_id: str
    tenant_id: str
    question: str
    min_confidence: float = MIN_CONFIDENCE


def answer(asked: Asked, evidence: Evidence, chain: Chain, stop: Stop) -> Generator[Event, None, None]:
    """The events of an answer. Once `stop` is set they end, without `Done`.

    Writers are asked in turn until one has a supported sentence that cites the best resolution; after the first
    sentence was sent nobody else is asked.
    """
    yield Sources(asked.answer_id, evidence.sources)
    if not evidence.sources or evidence.confidence < asked.min_confidence:
        yield Refusal("nothing_found", TEXTS["nothing_found"])
        yield Usage("none", 0, 0)
        yield Done(asked.answer_id, "refused")
        return
    run = _Run(asked, evidence, chain, stop)
    yield from run.events()
    if stop.is_set():
        return
    yield run.usage()
    yield Done(asked.answer_id, "answered" if run.sent else "refused")


class _Run:
    """The state of one answer."""

    def __init__(self, asked: Asked, evidence: Evidence, chain: Chain, stop: Stop) -> None:
        self._asked = asked
        self._evidence = evidence
        self._chain = chain
        self._stop = stop
        self._writer = "none"
        self._input = 0
        self._output = 0
        self._degraded: str | None = None
        self._refusal: RefusalReason = "no_model"
        self.sent = 0

    def events(self) -> Iterator[Event]:
        """Sentences, or a refusal."""
        for link in self._chain.links:
            if self._stop.is_set():
                return
            if not self._may_ask(link):
                continue
            self._writer = link.writer.name
            settled = yield from self._ask(link)
            if settled or self._stop.is_set():
                break
        if not self.sent and not self._stop.is_set():
            yield Refusal(self._refusal, TEXTS[self._refusal])

    def usage(self) -> Usage:
        """What it took."""
        return Usage(self._writer, self._input, self._output, self._degraded)

    def _may_ask(self, link: Link) -> bool:
        if link.metered and not self._chain.budget.allows(self._asked.tenant_id):
            self._degrade("today's tokens are used up")
            return False
        if not link.breaker.allows():
            self._degrade(f"{link.writer.name} is unavailable")
            return False
        return True

    def _degrade(self, reason: str) -> None:
        """Remember why the first writer didn't write."""
        self._degraded = self._degraded or reason

    def _ask(self, link: Link) -> Generator[Event, None, bool]:
        """Up to the link's attempts. Returns whether the answer or refusal is settled."""
        name, deadline = link.writer.name, self._chain.clock() + link.deadline_s
        for attempt in range(max(1, link.attempts)):
            try:
                settled = yield from self._attempt(link, deadline)
            except ModelError as error:
                link.breaker.failed(error)
                self._chain.observer.failed(name, error)
                self._degrade(f"{name} failed ({error.kind})")
                if self.sent:
                    return True
                if error.kind in FINAL_KINDS or not self._wait(attempt, error, link, deadline):
                    return False
                continue
            except BaseException:  # nobody reads the events any more, or a fault of ours
                link.breaker.abandoned()
                raise
            if self._stop.is_set():
                link.breaker.abandoned()
            else:
                link.breaker.succeeded()
            return settled
        return False

    def _wait(self, attempt: int, error: ModelError, link: Link, deadline: float) -> bool:
        """Wait before the next attempt, if there is one in time."""
        delay = self._chain.delay_s(attempt, error)
        if attempt + 1 >= link.attempts or self._chain.clock() + delay >= deadline or self._stop.wait(delay):
            return False
        return link.breaker.allows()

    def _attempt(self, link: Link, deadline: float) -> Generator[Event, None, bool]:
        """One attempt: sentences are held back until one cites the best resolution."""
        held: list[Sentence] = []
        told: set[str] = set()
        declined = cited_best = False
        pieces = link.writer.write(self._asked.question, self._evidence, self._stop)
        try:
            for piece in pieces:
                if self._stop.is_set():
                    return True
                if isinstance(piece, Tokens):
                    self._count(link, piece)
                    continue
                if isinstance(piece, Declined):
                    declined = True
                    break
                sentence = self._checked(link, piece)
                if sentence is not None and sentence.text not in told:
                    told.add(sentence.text)
                    held.append(sentence)
                    cited_best |= any(citation.source in self._evidence.best for citation in sentence.citations)
                if cited_best:
                    self.sent += len(held)
                    yield from held
                    held.clear()
                if self.sent >= MAX_SENTENCES:
                    break
                if self._chain.clock() > (deadline + link.deadline_s if self.sent else deadline):
                    raise ModelError(f"{link.writer.name} took too long", kind="deadline")
        finally:
            pieces.close()
        return self._settle(link, declined=declined, held=len(held))

    def _settle(self, link: Link, *, declined: bool, held: int) -> bool:
        """Whether the end of an attempt without a failure is the end of the answer."""
        if self.sent:
            return True
        if declined:
            self._refusal = "not_relevant"
            return True
        self._refusal = "not_relevant" if held else "unsupported"
        why = "cited no good source" if held else "wrote nothing that the sources support"
        self._degrade(f"{link.writer.name} {why}")
        return False

    def _checked(self, link: Link, draft: Draft) -> Sentence | None:
        found = check(draft, self._evidence)
        if isinstance(found, Unsupported):
            self._chain.observer.unsupported(link.writer.name, found.reason)
            return None
        return Sentence(found.text, found.citations)

    def _count(self, link: Link, tokens: Tokens) -> None:
        self._input += tokens.input
        self._output += tokens.output
        if link.metered:
            self._chain.budget.spend(self._asked.tenant_id, tokens)
