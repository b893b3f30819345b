"""The events of an answer, in the order in which they are sent: sources, sentences or a refusal, usage, done."""

from typing import Literal

from msgspec import Struct

from answers.evidence import Source

#: Reasons of refusals: no solved ticket is about the question; no sentence passed the check; the supported sentences
#: don't cite the best resolution; every model failed.
RefusalReason = Literal["nothing_found", "unsupported", "not_relevant", "no_model"]


class Citation(Struct, frozen=True):
    """The sentence of a source that supports a sentence of the answer: characters [start, end) of the source's text.

    `source` is the source's number, from 1.
    """

    source: int
    start: int
    end: int


class Sources(Struct, frozen=True, tag="sources"):
    """The evidence, sent before the first sentence. If nothing was found, it comes from the nearest tickets only."""

    answer_id: str
    sources: tuple[Source, ...]


class Sentence(Struct, frozen=True, tag="sentence"):
    """A checked sentence, with at least one citation."""

    text: str
    citations: tuple[Citation, ...]


class Refusal(Struct, frozen=True, tag="refusal"):
    """There is no answer. `text` is the reason in words.

    `nearest` has the number of a source of each of the nearest tickets, best first; it may be empty.
    """

    reason: RefusalReason
    text: str
    nearest: tuple[int, ...] = ()


class Usage(Struct, frozen=True, tag="usage"):
    """The cost of the answer. `degraded` is the reason why the first model of the chain didn't write it, or None."""

    model: str
    input_tokens: int
    output_tokens: int
    degraded: str | None = None


class Done(Struct, frozen=True, tag="done"):
    """The answer is complete: a stream that ends without this event has failed."""

    answer_id: str
    outcome: Literal["answered", "refused"]


Event = Sources | Sentence | Refusal | Usage | Done
