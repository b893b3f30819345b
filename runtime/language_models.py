"""Opens the language models that the settings name."""

import random
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Final

from connectors.cache.memory_tokens import DailyTokens
from connectors.language_models.openai import OpenAIModel, check_key, check_url
from connectors.language_models.transport import Transport, open_transport
from core.errors import ConfigError
from core.language_model import LanguageModel, TokenBudget
from core.language_model_settings import LanguageModelSettings, ModelChoice, parse_chain, parse_prices
from delivery.backoff import Backoff
from delivery.call_circuit import CallCircuit
from delivery.circuit import CircuitState
from runtime.guarded_model import GuardedModel
from runtime.telemetry import Telemetry

#: Maximum wait before a retry, and before a probe of a model whose circuit breaker is open.
_RETRY_MAX_S: Final = 1.0
_PROBE_MAX_S: Final = 30.0
_URL: Final = "TICKETS_LANGUAGE_MODEL__OPENAI_URL"
_KEY: Final = "TICKETS_LANGUAGE_MODEL__OPENAI_KEY"
_STATES: Final[Mapping[CircuitState, int]] = {"closed": 0, "half-open": 1, "open": 2}


def open_language_models(
    settings: LanguageModelSettings, stack: ExitStack, *, telemetry: Telemetry, budget: TokenBudget | None = None
) -> tuple[LanguageModel, ...]:
    """Open the models of the chain in order, without the extractive writer and any call; `stack` ends calls.

    Args:
        settings: the group of language models.
        stack: closes what is opened.
        telemetry: counts calls, tokens and cost.
        budget: of tokens per tenant and day; by default counted in this process.

    Raises:
        ConfigError: a model or a price is malformed, or its URL or region is missing.
    """
    chain = parse_chain(settings.chain)
    prices = parse_prices(settings.prices, chain)
    if not chain:
        return ()
    transport = open_transport(stack, connect_timeout_s=settings.connect_timeout_s)
    tokens = budget or DailyTokens(settings.tokens_per_day)
    rng = random.Random()  # noqa: S311 - spreads retries
    found: list[LanguageModel] = []
    for choice in chain:
        circuit = CallCircuit(backoff=Backoff(cap_s=_PROBE_MAX_S, rng=rng, base_s=1.0), probe_s=settings.timeout_s)
        telemetry.track("tickets_language_model_circuit_state", partial(_state, circuit), choice.name)
        guarded = GuardedModel(
            _open_model(choice, settings, transport),
            attempts=settings.attempts,
            backoff=Backoff(cap_s=_RETRY_MAX_S, rng=rng, base_s=0.2),
            circuit=circuit,
            budget=tokens,
            price=prices[choice.name],
            telemetry=telemetry,
        )
        found.append(guarded)
    return tuple(found)


def _state(circuit: CallCircuit) -> float:
    return _STATES[circuit.state]


def _open_model(choice: ModelChoice, settings: LanguageModelSettings, transport: Transport) -> LanguageModel:
    idle_s, stream = settings.idle_timeout_s, settings.stream
    if choice.provider == "openai":
        if settings.openai_url is None:
            raise ConfigError(f"{_URL}: not set; {choice.name} needs it, for example http://localhost:11434/v1")
        check_url(settings.openai_url, _URL)
        key = None if settings.openai_key is None else check_key(settings.openai_key, _KEY)
        return OpenAIModel(
            choice.model,
            url=settings.openai_url,
            key=key,
            transport=transport,
            idle_s=idle_s,
            stream=stream,
        )
    # boto3 takes a third of a second to import.
    from connectors.language_models.aws import open_aws_client  # noqa: PLC0415
    from connectors.language_models.bedrock import BedrockModel  # noqa: PLC0415
    from connectors.language_models.sagemaker import SageMakerModel  # noqa: PLC0415

    region = settings.aws_region
    if choice.provider == "bedrock":
        client = open_aws_client("bedrock-runtime", transport, region=region)
        return BedrockModel(
            choice.model, client=client, idle_s=idle_s, stream=stream, guardrail=settings.bedrock_guardrail
        )
    client = open_aws_client("sagemaker-runtime", transport, region=region)
    return SageMakerModel(
        choice.model, client=client, request_format=settings.sagemaker_format, idle_s=idle_s, stream=stream
    )
