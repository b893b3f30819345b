"""A guardrail of Bedrock checks what a model reads and writes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.language_models.bedrock import BedrockModel
from core.language_model import End
from core.language_model_settings import LanguageModelSettings
from tests.connectors.language_models.clients import ask


class FakeClient:
    """Answers as Bedrock does when the guardrail has stepped in, and keeps the arguments."""

    def __init__(self) -> None:
        self.given: Mapping[str, Any] = {}

    @contextmanager
    def call(self, operation: str, _bounds: object, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        self.given = arguments
        assert operation == "converse"
        yield {
            "output": {"message": {"content": [{"text": "I can't answer that."}]}},
            "stopReason": "guardrail_intervened",
            "usage": {"inputTokens": 3, "outputTokens": 4},
        }


def _ask(guardrail: str | None) -> tuple[FakeClient, list[object]]:
    client = FakeClient()
    model = BedrockModel("m", client=client, idle_s=1, stream=False, guardrail=guardrail)  # type: ignore[arg-type]
    return client, list(ask(model))


@pytest.mark.parametrize(
    ("guardrail", "identifier", "version"),
    [("abc123:2", "abc123", "2"), ("arn:aws:bedrock:us-east-1:123456789012:guardrail/abc:DRAFT", None, "DRAFT")],
)
def test_a_call_names_its_guardrail(guardrail: str, identifier: str | None, version: str) -> None:
    """An id or an ARN, with a version; an answer that it has replaced counts as filtered."""
    client, parts = _ask(guardrail)
    wanted = identifier or guardrail.removesuffix(":DRAFT")
    assert client.given["guardrailConfig"] == {"guardrailIdentifier": wanted, "guardrailVersion": version}
    assert parts[-1] == End("filtered")


def test_without_one_nothing_is_sent() -> None:
    """Bedrock refuses an empty configuration."""
    assert "guardrailConfig" not in _ask(None)[0].given


def test_a_guardrail_needs_a_version() -> None:
    """A malformed setting ends the start."""
    assert LanguageModelSettings(bedrock_guardrail="abc123:2").bedrock_guardrail == "abc123:2"
    with pytest.raises(ValidationError):
        LanguageModelSettings(bedrock_guardrail="abc123")
