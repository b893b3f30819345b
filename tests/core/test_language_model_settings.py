"""Settings of the chain of language models and of their prices."""

import pytest

from core.environment import load_settings
from core.errors import ConfigError
from core.language_model_settings import ModelChoice, Price, parse_chain, parse_prices


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("extractive", []),
        ("openai:llama3.2", ["openai:llama3.2"]),
        (
            "openai:qwen3:8b, bedrock:anthropic.claude-x-v1:0 ,extractive",
            ["openai:qwen3:8b", "bedrock:anthropic.claude-x-v1:0"],
        ),
        (
            "bedrock:arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.x,sagemaker:answers",
            ["bedrock:arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.x", "sagemaker:answers"],
        ),
    ],
)
def test_a_chain_names_models_in_order(text: str, names: list[str]) -> None:
    """Provider and model are split at the first colon, and a final `extractive` is left out."""
    assert [choice.name for choice in parse_chain(text)] == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "llama",
        "openai:",
        ":x",
        "gpt:x",
        "openai:a b",
        "openai:a\x00",
        "openai:x,",
        "extractive,openai:x",
        "openai:x,openai:x",
    ],
)
def test_a_malformed_chain_is_one_line(text: str) -> None:
    """The error names the variable and says what to write."""
    with pytest.raises(ConfigError, match=r"^TICKETS_LANGUAGE_MODEL__CHAIN: .*(write|put|name each)[^\n]*$"):
        parse_chain(text)


def test_a_model_without_a_price_costs_nothing() -> None:
    """Prices are given by the chain's names, and a model without one costs nothing."""
    chain = (ModelChoice("openai", "llama"), ModelChoice("bedrock", "m:0"))
    prices = parse_prices(" bedrock:m:0=3/15 ", chain)
    assert prices == {"openai:llama": Price(), "bedrock:m:0": Price(3, 15)}
    assert prices["bedrock:m:0"].cost(1_000_000, 100_000) == 4.5


@pytest.mark.parametrize(
    "text",
    [
        "3/15",
        "openai:llama",
        "openai:llama=3",
        "openai:llama=3/x",
        "openai:llama=-1/1",
        "openai:llama=1/inf",
        "openai:llama=nan/1",
        "openai:other=1/1",
        "openai:llama=1/2/3",
    ],
)
def test_a_malformed_price_is_one_line(text: str) -> None:
    """The error names the variable and says what to write."""
    with pytest.raises(ConfigError, match=r"^TICKETS_LANGUAGE_MODEL__PRICES: .*write[^\n]*$"):
        parse_prices(text, (ModelChoice("openai", "llama"),))


def test_the_key_is_not_shown() -> None:
    """The API key is hidden in a repr."""
    found = load_settings({"TICKETS_LANGUAGE_MODEL__OPENAI_KEY": "sk-secret"}).language_model
    assert "sk-secret" not in repr(found) + str(found)
