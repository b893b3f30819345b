"""Clients of the fake server, by name."""

import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from threading import Event
from typing import Final, get_args

import pytest
from msgspec import Struct
from pydantic import SecretStr

from connectors.language_models.aws import AwsClient, Service, open_aws_client
from connectors.language_models.bedrock import BedrockModel
from connectors.language_models.openai import OpenAIModel
from connectors.language_models.sagemaker import SageMakerModel
from connectors.language_models.transport import Transport, open_transport
from core.language_model import Delta, End, LanguageModel, ModelError, ModelRequest, Part
from tests.rigs.language_models import LanguageModelServer, Reply
from tests.rigs.waiting import PATIENCE_S

KEY: Final = "sk-very-secret"
SECRET: Final = "aws-very-secret"
QUESTION: Final = "Why does the exporter of Zanzibar fail?"
RULES: Final = "Answer from the sources only."


class World(Struct):
    """A fake server and the clients' transports; `impatient` has a short connect timeout."""

    server: LanguageModelServer
    transport: Transport
    impatient: Transport
    aws: Mapping[Service, AwsClient]
    idle_s: float = PATIENCE_S

    def client(self, name: str) -> LanguageModel:
        """The client `name` of `CLIENTS`."""
        return CLIENTS[name](self)


def request(*, max_tokens: int = 100, timeout_s: float = PATIENCE_S) -> ModelRequest:
    """A request for an answer."""
    return ModelRequest(tenant_id="acme", system=RULES, prompt=QUESTION, max_tokens=max_tokens, timeout_s=timeout_s)


def ask(model: LanguageModel, wanted: ModelRequest | None = None, stop: Event | None = None) -> list[Part]:
    """All parts of an answer."""
    return list(model.stream(wanted or request(), stop or Event()))


def text_of(parts: list[Part]) -> str:
    """The text of an output."""
    return "".join(part.text for part in parts if isinstance(part, Delta))


def failure_of(world: World, name: str, reply: Reply) -> ModelError:
    """The client's error at `reply`: after one attempt, without an `End`, in one line that quotes nothing."""
    world.server.script(reply)
    parts: list[Part] = []
    with pytest.raises(ModelError) as caught:
        parts.extend(world.client(name).stream(request(), Event()))
    assert not any(isinstance(part, End) for part in parts)
    assert world.server.calls == 1
    shown = "".join(traceback.format_exception(caught.value))
    assert all(hidden not in shown for hidden in (KEY, SECRET, QUESTION, "quotes the question", "sk-"))
    assert str(caught.value).startswith(f"{world.client(name).name}: ")
    assert "\n" not in str(caught.value)
    return caught.value


def _openai(world: World, *, stream: bool) -> LanguageModel:
    return OpenAIModel(
        "llama",
        url=f"{world.server.url}/v1/",
        key=SecretStr(KEY),
        transport=world.transport,
        idle_s=world.idle_s,
        stream=stream,
    )


def _bedrock(world: World, *, stream: bool) -> LanguageModel:
    client = world.aws["bedrock-runtime"]
    return BedrockModel("anthropic.claude-x-v1:0", client=client, idle_s=world.idle_s, stream=stream)


def _sagemaker(world: World, *, inputs: bool, stream: bool) -> LanguageModel:
    return SageMakerModel(
        "answers",
        client=world.aws["sagemaker-runtime"],
        request_format="inputs" if inputs else "messages",
        idle_s=world.idle_s,
        stream=stream,
    )


STREAMED: Final[Mapping[str, Callable[[World], LanguageModel]]] = {
    "openai": lambda world: _openai(world, stream=True),
    "bedrock": lambda world: _bedrock(world, stream=True),
    "sagemaker": lambda world: _sagemaker(world, inputs=False, stream=True),
    "sagemaker inputs": lambda world: _sagemaker(world, inputs=True, stream=True),
}
WHOLE: Final[Mapping[str, Callable[[World], LanguageModel]]] = {
    "openai whole": lambda world: _openai(world, stream=False),
    "bedrock whole": lambda world: _bedrock(world, stream=False),
    "sagemaker whole": lambda world: _sagemaker(world, inputs=False, stream=False),
    "sagemaker inputs whole": lambda world: _sagemaker(world, inputs=True, stream=False),
}
CLIENTS: Final = {**STREAMED, **WHOLE}


def aws_environment(url: str, patch: pytest.MonkeyPatch) -> None:
    """Make boto3 call `url` with test credentials, regardless of the machine's configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in {
        "ENDPOINT_URL": url,
        "ACCESS_KEY_ID": "AKIDEXAMPLE",
        "SECRET_ACCESS_KEY": SECRET,
        "SESSION_TOKEN": SECRET,
        "DEFAULT_REGION": "eu-central-1",
        "EC2_METADATA_DISABLED": "true",
        "CONFIG_FILE": os.devnull,
        "SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        patch.setenv(f"AWS_{name}", value)


def open_world() -> Iterator[World]:
    """A world whose server answers correctly by default."""
    with ExitStack() as stack:
        transport = open_transport(stack, connect_timeout_s=PATIENCE_S)
        impatient = open_transport(stack, connect_timeout_s=0.3)
        server = stack.enter_context(LanguageModelServer())
        aws_environment(server.url, stack.enter_context(pytest.MonkeyPatch.context()))
        services: tuple[Service, ...] = get_args(Service)
        clients = {service: open_aws_client(service, transport, region=None) for service in services}
        yield World(server, transport, impatient, clients)
