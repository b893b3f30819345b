"""Requests to the RAG service."""

from typing import Any

from fastapi.testclient import TestClient

from services.rag.responses import AnswerDocument
from tests.services.rag.world import QUESTION

ANSWERS = "/api/v1/answers"
SEARCH = "/api/v1/search"
STREAM = {"Accept": "text/event-stream"}


def ask(client: TestClient, question: str = QUESTION, **more: object) -> dict[str, Any]:
    """A complete answer, checked against the OpenAPI document."""
    answer = client.post(ANSWERS, json={"question": question, **more})
    assert answer.status_code == 200, answer.text
    AnswerDocument.model_validate(answer.json(), strict=True)
    found: dict[str, Any] = answer.json()
    return found


def text_of(answer: dict[str, Any]) -> str:
    """The sentences as one text."""
    return " ".join(sentence["text"] for sentence in answer["sentences"])


def vote(client: TestClient, answer_id: str, **body: str) -> int:
    """Give feedback; return the HTTP status."""
    return client.post(f"{ANSWERS}/{answer_id}/feedback", json=body).status_code
