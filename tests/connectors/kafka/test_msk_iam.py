"""Tokens for MSK: librdkafka requests them, and renews each before it expires."""

import time
from collections.abc import Callable
from typing import Final

import pytest
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from confluent_kafka.admin import AdminClient

from connectors.kafka.options import client_options
from core.settings import KafkaSettings
from tests.rigs.waiting import PATIENCE_S

#: librdkafka renews a token when four fifths of its life have passed.
_LIFE_S: Final = 2.0


def _asked(monkeypatch: pytest.MonkeyPatch, *, patience_s: float) -> int:
    """The number of token requests, up to two; each token is valid for two seconds."""
    asked: list[str] = []

    def sign(region: str, **_more: object) -> tuple[str, int]:
        asked.append(region)
        return f"token-{len(asked)}", int((time.time() + _LIFE_S) * 1000)  # in milliseconds, as the signer does

    monkeypatch.setattr(MSKAuthTokenProvider, "generate_auth_token", sign)
    settings = KafkaSettings(
        brokers="127.0.0.1:1", security_protocol="SASL_SSL", sasl_mechanism="AWS_MSK_IAM", aws_region="eu-central-1"
    )
    client = AdminClient(client_options(settings))
    deadline = time.monotonic() + patience_s
    while len(asked) < 2 and time.monotonic() < deadline:
        client.poll(0.1)
    assert set(asked) == {"eu-central-1"}
    return len(asked)


def test_a_token_is_renewed_before_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is renewed, which shows that its lifetime is passed to librdkafka in the right unit."""
    assert _asked(monkeypatch, patience_s=PATIENCE_S) == 2


def test_a_callback_that_passes_milliseconds_on_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that passes milliseconds as seconds never renews a token, which MSK refuses after 15 minutes."""

    def callback(region: str) -> Callable[[str], tuple[str, float]]:
        return lambda _config: MSKAuthTokenProvider.generate_auth_token(region)

    monkeypatch.setattr("connectors.kafka.options.token_callback", callback)
    assert _asked(monkeypatch, patience_s=2 * _LIFE_S) == 1
