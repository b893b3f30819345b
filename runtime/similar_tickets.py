"""Asks the RAG service for similar tickets and for a whole answer, and reads the few facts that programs need."""

from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from core.errors import FatalError
from runtime.service_client import Reply, ServiceClient, segment

T = TypeVar("T")


class HitLabels(Struct, frozen=True):
    """The labels of a ticket that was found."""

    category: str | None = None
    priority: str | None = None


class SimilarHit(Struct, frozen=True):
    """A ticket that was found. `similarity` is the cosine of its best passage."""

    ticket_id: str
    similarity: float
    payload: HitLabels


class SimilarTickets(Struct, frozen=True):
    """The tickets found, best first. `nothing`: probably none of them is relevant."""

    hits: tuple[SimilarHit, ...]
    nothing: bool


class SourceTicket(Struct, frozen=True):
    """The ticket of a source."""

    ticket_id: str


class SourceCitation(Struct, frozen=True):
    """The number of a source, from 1."""

    source: int


class CitedSentence(Struct, frozen=True):
    """A sentence of an answer and its citations."""

    text: str
    citations: tuple[SourceCitation, ...]


class WholeAnswer(Struct, frozen=True):
    """An answer, or a refusal without sentences."""

    answer_id: str
    outcome: str
    sentences: tuple[CitedSentence, ...]
    sources: tuple[SourceTicket, ...]


class SimilarTicketsClient:
    """Calls the RAG service. Every method raises the errors of `ServiceClient.call`."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def similar(self, ticket_id: str, *, limit: int, solved: bool | None = None) -> SimilarTickets:
        """The tickets most like one, which must be indexed already, without it."""
        params: dict[str, str | int] = {"limit": limit}
        if solved is not None:
            params["solved"] = "true" if solved else "false"
        return _decoded(
            self._client.call("GET", f"/api/v1/tickets/{segment(ticket_id)}/similar", params=params), _SIMILAR
        )

    def answer(self, question: str, *, ticket_id: str) -> WholeAnswer:
        """The answer to a question about a ticket, which must be indexed already."""
        body = {"question": question, "ticket_id": ticket_id}
        return _decoded(self._client.call("POST", "/api/v1/answers", body=body), _ANSWERS)


_SIMILAR: Final = msgspec.json.Decoder(SimilarTickets)
_ANSWERS: Final = msgspec.json.Decoder(WholeAnswer)


def _decoded(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(reply.content)
    except msgspec.DecodeError as error:
        raise FatalError(f"the RAG service answered in another version: {error}") from None
