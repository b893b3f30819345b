"""Asks the RAG service for an answer, and yields its events as they arrive."""

from collections.abc import Iterator
from typing import Final

import msgspec

from answers.events import Done, Event, Refusal, Sentence, Sources, Usage
from core.errors import FatalError, UnavailableError
from runtime.service_client import ServiceClient

PATH: Final = "/api/v1/answers"
_EVENTS: Final[dict[str, type[Event]]] = {
    "sources": Sources,
    "sentence": Sentence,
    "refusal": Refusal,
    "usage": Usage,
    "done": Done,
}


def ask(
    client: ServiceClient, question: str, *, ticket_id: str | None = None, limit: int | None = None
) -> Iterator[Event]:
    """The events of an answer, the last of which is `Done`.

    Raises:
        UnavailableError: the service doesn't answer, is busy, or the answer was cut off.
        ConfigError: the service refuses the question or the token.
        FatalError: the service failed, or speaks another protocol.
    """
    complete = False
    for event in client.stream(PATH, request_body(question, ticket_id=ticket_id, limit=limit)):
        kind = _EVENTS.get(event.name)
        if kind is None:  # ignored: a later version of the service may send more events
            continue
        try:
            yield msgspec.json.decode(event.data, type=kind)
        except (ValueError, RecursionError) as error:
            raise FatalError(f"the RAG service sent an event {event.name} of another version: {error}") from None
        complete = complete or kind is Done
    if not complete:
        raise UnavailableError("the answer was cut off, so don't rely on what is shown; ask again")


def request_body(question: str, *, ticket_id: str | None = None, limit: int | None = None) -> dict[str, object]:
    """The body of POST /api/v1/answers."""
    optional = {"ticket_id": ticket_id, "limit": limit}
    return {"question": question} | {name: value for name, value in optional.items() if value is not None}
