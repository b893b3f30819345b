"""Threads and evidence for tests."""

from answers.evidence import Evidence, Source
from core.index import Thread, ThreadPassage
from core.payload import PayloadValue

DAY_MS = 86_400_000


def source(
    text: str, *, ticket_id: str = "T-1", language: str | None = "en", score: float = 1.0, message: int = 0
) -> Source:
    """A source with a resolution."""
    return Source(
        tenant_id="acme",
        ticket_id=ticket_id,
        version=1,
        subject="",
        chunk=1,
        message=message,
        text=text,
        score=score,
        resolution=True,
        language=language,
    )


def evidence(*texts: str, language: str | None = "en", confidence: float = 0.9) -> Evidence:
    """Evidence of tickets with one resolution each."""
    sources = tuple(source(text, ticket_id=f"T-{n}", language=language) for n, text in enumerate(texts, 1))
    return Evidence(sources=sources, confidence=confidence, model="model")


def thread(
    *messages: tuple[str, str],
    ticket_id: str = "T-1",
    tenant_id: str = "acme",
    solved: bool = True,
    resolution: int | None = None,
    at: int = 100 * DAY_MS,
    language: str = "en",
) -> Thread:
    """A ticket's thread of (author, text); the author `note` is an agent who writes an internal note."""
    passages = []
    for number, (author, text) in enumerate(messages):
        payload: dict[str, PayloadValue] = {
            "subject": "A subject",
            "role": "agent" if author == "note" else author,
            "visibility": "internal" if author == "note" else "public",
            "message": number,
            "message_at": at + number,
            "start": 0,
            "end": len(text),
            "language": language,
            "resolution": number == resolution,
        }
        passages.append(ThreadPassage(number, text, payload | ({"solved": "yes"} if solved else {})))
    return Thread(tenant_id, ticket_id, 3, tuple(passages))
