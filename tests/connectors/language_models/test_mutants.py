"""Mutants of the clients, each of which the tests of the faults catch."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from botocore.config import Config
from msgspec import Struct, structs

from connectors.language_models import aws, bedrock, chat, failures, openai, sagemaker
from core.language_model import End, ModelError, Part
from tests.connectors.language_models.clients import World, aws_environment, failure_of
from tests.rigs.language_models import Fault, Reply

Patch = pytest.MonkeyPatch


class Mutant(Struct, frozen=True):
    """A mutant, and the fault that its client `name` then handles wrongly."""

    change: Callable[[Patch], None]
    name: str
    fault: Fault
    kind: str


def trust_the_end(patch: Patch) -> None:
    """Mutant: takes the end of the stream for the end of the answer."""
    streamed: Any = bedrock._streamed

    def trusting(events: Any) -> Iterator[Part]:
        try:
            yield from streamed(events)
        except ModelError:
            yield End("stop")

    patch.setattr(bedrock, "_streamed", trusting)


def trust_the_end_of_a_chat(patch: Patch) -> None:
    """Mutant: takes a chat without its last events for complete."""
    streamed: Any = chat.streamed_chat

    def trusting(chunks: Any, *, done: bool) -> Iterator[Part]:
        try:
            yield from streamed(chunks, done=done)
        except ModelError as error:
            if error.kind != "cut_off":
                raise
            yield End("stop")

    patch.setattr(openai, "streamed_chat", trusting)
    patch.setattr(sagemaker, "streamed_chat", trusting)


def take_lines_of_any_length(patch: Patch) -> None:
    """Mutant: doesn't bound the length of a line."""
    patch.setattr("connectors.language_models.lines._MAX_LINE_BYTES", 1 << 40)


def quote_the_server(patch: Patch) -> None:
    """Mutant: quotes the server's message, which may repeat the question and the key."""
    http_error: Any = failures.http_error
    patch.setattr(
        openai,
        "http_error",
        lambda status, code, headers: ModelError(
            f"{http_error(status, code, headers)}: quotes the question", kind="bad_request"
        ),
    )


def let_boto3_retry(patch: Patch) -> None:
    """Mutant: leaves boto3's own retries on."""
    patch.setattr(aws, "Config", lambda **_: Config())
    patch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


MUTANTS: Final = (
    Mutant(trust_the_end, "bedrock", "no_end", "cut_off"),
    Mutant(trust_the_end, "bedrock", "half_frame", "cut_off"),
    Mutant(trust_the_end_of_a_chat, "openai", "no_end", "cut_off"),
    Mutant(trust_the_end_of_a_chat, "sagemaker", "no_end", "cut_off"),
    Mutant(take_lines_of_any_length, "openai", "long_line", "protocol"),
    Mutant(quote_the_server, "openai", "bad_request", "bad_request"),
    Mutant(let_boto3_retry, "bedrock", "throttled", "throttled"),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.change.__name__}-{mutant.name}-{mutant.fault}")
def test_a_mutant_is_caught(world: World, monkeypatch: Patch, mutant: Mutant) -> None:
    """The assertions about a fault fail for the mutant, and hold without it."""
    reply = Reply(fault=mutant.fault)
    assert failure_of(world, mutant.name, reply).kind == mutant.kind
    mutant.change(monkeypatch)
    aws_environment(world.server.url, monkeypatch)
    client = aws.open_aws_client("bedrock-runtime", world.transport, region=None)
    changed = structs.replace(world, aws={**world.aws, "bedrock-runtime": client})
    world.server.forget()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        assert failure_of(changed, mutant.name, reply).kind == mutant.kind
