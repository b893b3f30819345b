"""The Bedrock client against an independent emulator, ministack, in front of an OpenAI-compatible server."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from connectors.language_models.aws import open_aws_client
from connectors.language_models.bedrock import BedrockModel
from connectors.language_models.transport import open_transport
from core.language_model import End, Tokens
from tests.connectors.language_models.clients import QUESTION, RULES, ask, aws_environment, text_of
from tests.deploy.terraform.emulators import MINISTACK, start_ministack
from tests.rigs.language_models import LanguageModelServer, Reply
from tests.rigs.waiting import PATIENCE_S

pytestmark = pytest.mark.skipif(not MINISTACK.exists(), reason="`make tf-tools` installs ministack")


def test_both_operations_work_on_ministack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Converse and ConverseStream pass on rules and question, and return the model's text and tokens."""
    with ExitStack() as stack:
        server = stack.enter_context(LanguageModelServer(Reply(text="Reset the token. Done.", tokens=(30, 9))))
        emulator = stack.enter_context(start_ministack(tmp_path, bedrock_proxy=server.url))
        aws_environment(emulator.url, monkeypatch)
        transport = open_transport(stack, connect_timeout_s=PATIENCE_S)
        client = open_aws_client("bedrock-runtime", transport, region="eu-central-1")
        for stream in (True, False):
            model = BedrockModel("anthropic.claude-x-v1:0", client=client, idle_s=PATIENCE_S, stream=stream)
            parts = ask(model)
            assert text_of(parts) == "Reset the token. Done."
            assert parts[-2:] == [Tokens(30, 9), End("stop")]
        for sent in server.requests:
            assert [message["content"] for message in sent.body["messages"]] == [RULES, QUESTION]
            assert sent.body["model"] == "anthropic.claude-x-v1:0"
