"""Makes the events of an answer: sources, then supported sentences or a refusal, then usage, then done."""

from collections import deque
from collections.abc import Generator, Iterator
from threading import Event as Stop
from typing import Final

from answers.chain import Chain, Link
from answers.check import Unsupported, check
from answers.events import Done, Event, Refusal, RefusalReason, Sentence, Sources, Usage
from answers.evidence import Evidence
from answers.writer import Asked, Declined, Draft
from core.language_model import ModelError, ModelErrorKind, Tokens

#: Maximum sentences of an answer.
MAX_SENTENCES: Final = 8

#: Texts of refusals, for people.
TEXTS: Final[dict[RefusalReason, str]] = {
    "nothing_found": "No solved ticket is likely to answer this.",
    "unsupported": "The solved tickets don't support an answer, so none is shown. Look at the nearest ones yourself.",
    "not_relevant": "The solved tickets that were found don't answer this. Look at the nearest ones yourself.",
    "no_model": "No model is available to write an answer. Look at the nearest tickets, or try again later.",
}

#: Reasons for skipping a writer, by the kind of its failure.
_WHY: Final[dict[ModelErrorKind, str]] = {
    "over_budget": "today's tokens are used up",
    "circuit_open": "{} is unavailable",
}


def answer(asked: Asked, evidence: Evidence, chain: Chain, stop: Stop) -> Generator[Event, None, None]:
    """The events of an answer. Once `stop` is set they end, without `Done`.

    Writers are called in order until one has a supported sentence that cites the best resolution; once a sentence has
    been sent, no other writer is called.
    """
    if not evidence.sources or evidence.confidence < asked.min_confidence:
        nearest = tuple(evidence.sources[number - 1] for number in evidence.nearest)
        yield Sources(asked.answer_id, nearest)
        yield Refusal("nothing_found", TEXTS["nothing_found"], tuple(range(1, len(nearest) + 1)))
        yield Usage("none", 0, 0)
        yield Done(asked.answer_id, "refused")
        return
    yield Sources(asked.answer_id, evidence.sources)
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
        self._best = evidence.best
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
            self._writer = link.writer.name
            settled = yield from self._ask(link)
            if settled or self._stop.is_set():
                break
        if not self.sent and not self._stop.is_set():
            yield Refusal(self._refusal, TEXTS[self._refusal], self._evidence.nearest)

    def usage(self) -> Usage:
        """The usage of the answer."""
        return Usage(self._writer, self._input, self._output, self._degraded)

    def _degrade(self, reason: str) -> None:
        """Note the reason why the first writer didn't write."""
        self._degraded = self._degraded or reason

    def _ask(self, link: Link) -> Generator[Event, None, bool]:
        """Call one writer. Returns whether the answer or refusal is final."""
        name = link.writer.name
        try:
            return (yield from self._read(link, self._chain.clock() + link.deadline_s))
        except ModelError as error:
            self._chain.observer.failed(name, error)
            self._degrade(_WHY.get(error.kind, "{} failed ({})").format(name, error.kind))
            return self.sent > 0

    def _read(self, link: Link, deadline: float) -> Generator[Event, None, bool]:
        """Send the drafts that pass the check; they are held back until one cites the best resolution."""
        held: deque[Sentence] = deque(maxlen=MAX_SENTENCES)  # the latest: the one that cites the best is among them
        told: set[str] = set()
        declined = cited_best = False
        pieces = link.writer.write(self._asked, self._evidence, self._stop)
        try:
            for piece in pieces:
                if self._stop.is_set():
                    return True
                if isinstance(piece, Tokens):
                    self._input += piece.input
                    self._output += piece.output
                    continue
                if isinstance(piece, Declined):
                    declined = True
                    break
                sentence = self._checked(link, piece)
                if sentence is not None and sentence.text not in told:
                    told.add(sentence.text)
                    held.append(sentence)
                    cited_best |= any(citation.source in self._best for citation in sentence.citations)
                if cited_best:
                    self.sent += len(held)
                    yield from held
                    held.clear()
                if self.sent >= MAX_SENTENCES:
                    break
                if self._chain.clock() > (deadline + link.deadline_s if self.sent else deadline):
                    raise ModelError(f"{link.writer.name} took too long", kind="timeout")
        finally:
            pieces.close()
        return self._settle(link, declined=declined, held=len(held))

    def _settle(self, link: Link, *, declined: bool, held: int) -> bool:
        """Whether the answer ends with this writer's drafts."""
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
