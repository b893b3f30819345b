"""The passages that an answer may cite."""

from msgspec import Struct


class Source(Struct, frozen=True, kw_only=True):
    """A passage of a solved ticket, written by an agent and public.

    Attributes:
        message: index of its message in the ticket's thread.
        message_at: when the message was sent, in milliseconds since 1970, if known.
        start: first character of the passage in the message's cleaned text, if known; `end` is the one after its last.
        resolution: the message solved the ticket.
        score: of the ticket, by which the sources are ranked.
    """

    tenant_id: str
    ticket_id: str
    version: int
    subject: str
    chunk: int
    message: int
    text: str
    score: float
    message_at: int | None = None
    start: int | None = None
    end: int | None = None
    resolution: bool = False


class Evidence(Struct, frozen=True, kw_only=True):
    """What was found for a question.

    Attributes:
        sources: best first. Number n of an answer is `sources[n - 1]`.
        confidence: calibrated probability that the first source is about the question, 0 to 1.
        model: stamp of the embedding model that found them.
    """

    sources: tuple[Source, ...]
    confidence: float
    model: str
