"""Settings of language models: the chain, time limits, budget and prices."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

from msgspec import Struct
from pydantic import Field, SecretStr

from core.errors import ConfigError
from core.setting_types import Group, Positive, Seconds, Url

Provider = Literal["openai", "bedrock", "sagemaker"]

#: Writes answers without a model, at the end of every chain.
EXTRACTIVE: Final = "extractive"
_CHAIN: Final = "TICKETS_LANGUAGE_MODEL__CHAIN"
_PRICES: Final = "TICKETS_LANGUAGE_MODEL__PRICES"


class LanguageModelSettings(Group):
    """Language models that write answers."""

    chain: str = Field(
        EXTRACTIVE,
        description="Models in the order in which they are tried, comma-separated: `openai:MODEL`, `bedrock:MODEL_ID`, "
        "`sagemaker:ENDPOINT`. Every chain ends with `extractive`, which quotes the tickets without a model.",
    )
    openai_url: Url | None = Field(
        None,
        description="Base URL of an OpenAI-compatible API, for example http://localhost:11434/v1 (Ollama).",
    )
    openai_key: SecretStr | None = Field(None, description="API key of the OpenAI-compatible API.")
    aws_region: str | None = Field(
        None, description="AWS region of Bedrock and SageMaker; by default that of the environment or profile."
    )
    sagemaker_format: Literal["messages", "inputs"] = Field(
        "messages",
        description="Request format of the SageMaker container: `messages` is OpenAI's and uses the model's chat "
        "template; `inputs` is the older text-generation format.",
    )
    bedrock_guardrail: Annotated[str, Field(pattern=r"^[\w:/.-]+:[\w]+$")] | None = Field(
        None, description="Guardrail that checks input and output of Bedrock's models, as ID:VERSION; by default none."
    )
    stream: bool = Field(True, description="Read answers as they are generated; false reads them in one piece.")
    max_tokens: Positive = Field(800, description="Maximum tokens of an answer.")
    timeout_s: Seconds = Field(20.0, description="Maximum time of an answer by one model, retries included.")
    connect_timeout_s: Seconds = Field(2.0, description="Maximum time to connect to a model's server.")
    idle_timeout_s: Seconds = Field(
        10.0, description="Maximum silence of a streamed answer, also before its first byte."
    )
    attempts: Annotated[int, Field(ge=1, le=5)] = Field(
        2, description="Maximum attempts with one model. An answer that has begun is not retried."
    )
    tokens_per_day: Annotated[int, Field(ge=0)] = Field(
        1_000_000,
        description="Tokens that a tenant may use in a day (UTC); beyond them answers are extractive. All processes "
        "count together on the server of TICKETS_CACHE__URL, or each alone without one. 0 disables the limit.",
    )
    prices: str = Field(
        "",
        description="Dollars per million input and output tokens, for the cost metric: "
        "`openai:gpt-4o-mini=0.15/0.60,bedrock:MODEL_ID=3/15`.",
    )


class ModelChoice(Struct, frozen=True):
    """A model of a chain. `model` is its name, id or ARN at the provider, or an endpoint."""

    provider: Provider
    model: str

    @property
    def name(self) -> str:
        """Its name in settings and metrics."""
        return f"{self.provider}:{self.model}"


class Price(Struct, frozen=True):
    """Dollars per million tokens."""

    input: float = 0.0
    output: float = 0.0

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """Dollars for these tokens."""
        return (self.input * input_tokens + self.output * output_tokens) / 1_000_000


def parse_chain(text: str) -> tuple[ModelChoice, ...]:
    """The models of TICKETS_LANGUAGE_MODEL__CHAIN, without the final `extractive`.

    Raises:
        ConfigError: an entry has another form, occurs twice, or comes after `extractive`.
    """
    entries = [entry.strip() for entry in text.split(",")]
    if entries[-1] == EXTRACTIVE:
        entries.pop()
    found = tuple(_choice(entry) for entry in entries)
    for choice in found:
        if found.count(choice) > 1:
            raise ConfigError(f"{_CHAIN}: {choice.name} occurs twice; name each model once")
    return found


def parse_prices(text: str, chain: tuple[ModelChoice, ...]) -> Mapping[str, Price]:
    """The prices of TICKETS_LANGUAGE_MODEL__PRICES by model; 0 for those of the chain without one.

    Raises:
        ConfigError: an entry has another form, or names a model that isn't in the chain.
    """
    prices = {choice.name: Price() for choice in chain}
    for entry in filter(None, map(str.strip, text.split(","))):
        name, _, both = entry.rpartition("=")
        if name not in prices:
            raise ConfigError(f"{_PRICES}: {name or entry!r} is not a model of {_CHAIN}; write openai:MODEL=0.15/0.60")
        prices[name] = _price(both)
    return prices


def _choice(entry: str) -> ModelChoice:
    if entry == EXTRACTIVE:
        raise ConfigError(f"{_CHAIN}: `extractive` never fails, so no model can come after it; put it last")
    provider, _, model = entry.partition(":")
    for known in get_args(Provider):
        if provider == known and model and model.isprintable() and not any(map(str.isspace, model)):
            return ModelChoice(known, model)
    raise ConfigError(
        f"{_CHAIN}: {entry!r} is not a model; write openai:MODEL, bedrock:MODEL_ID, sagemaker:ENDPOINT or extractive"
    )


def _price(text: str) -> Price:
    parts = text.split("/")
    try:
        price = Price(*map(float, parts))
    except (ValueError, TypeError):
        price = Price(-1.0)
    if len(parts) != 2 or not (0 <= price.input < float("inf") and 0 <= price.output < float("inf")):  # noqa: PLR2004 - input and output
        raise ConfigError(f"{_PRICES}: {text!r} is not a price; write dollars per million tokens, such as 0.15/0.60")
    return price
