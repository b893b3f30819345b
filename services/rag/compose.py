"""The composition root of the RAG service."""

from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from random import Random
from typing import Final

from fastapi import FastAPI

from answers.chain import Chain, Link
from answers.extractive import ExtractiveWriter
from answers.model_writer import ModelWriter
from core.feedback import FeedbackStore
from core.language_model import ModelError, TokenBudget
from core.language_model_settings import LanguageModelSettings
from core.settings import Settings
from delivery.lease import owner_name
from runtime.feedback import open_feedback_store
from runtime.language_models import open_language_models
from runtime.live_searcher import open_live_searcher
from runtime.otlp import open_tracing
from runtime.sender import open_sender
from runtime.telemetry import Telemetry
from runtime.token_budget import open_token_budget
from services.http.callers import Authenticator
from services.http.limits import open_throttle
from services.http.pages import mount_web
from services.http.sessions import open_sessions
from services.http.tokens import open_authenticator
from services.rag.answering import Answering
from services.rag.app import rag_app
from services.rag.known_votes import KnownVotes
from services.rag.pulling import open_pool
from services.rag.relay import FeedbackRelay, open_relay
from services.rag.routes import Service

#: The fraction of an answer's time that the language models may take.
_MODELS_SHARE: Final = 0.75
#: Time between two reads of the feedback store by an idle relay; DynamoDB charges for each.
_LOOK_EVERY_S: Final = {"sqlite": 1.0, "dynamodb": 5.0}
#: Age at which the cached votes on a ticket are read again. A file is read at each search.
_FRESH_S: Final = {"sqlite": 0.0, "dynamodb": 10.0}


class _Counted:
    """Implements `answers.writer.Observer` with metrics."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def unsupported(self, writer: str, reason: str) -> None:
        self._telemetry.count("tickets_drafts_refused_total", writer, reason)

    def failed(self, writer: str, error: ModelError) -> None:
        self._telemetry.count("tickets_drafts_refused_total", writer, error.kind)


def open_app(settings: Settings, stack: ExitStack, *, authenticator: Authenticator | None = None) -> FastAPI:
    """The RAG service. The index need not be there yet: until then /ready says what is missing.

    Args:
        settings: all groups; those of the service, index, model, search, Kafka, topics and authentication are used.
        stack: closes what is opened.
        authenticator: identifies callers; by default, by the tokens of the issuer in the settings.

    Raises:
        ConfigError: a setting is wrong, or the file of feedback can't be written.
        UnavailableError: the table of feedback or sessions is missing.
    """
    telemetry = Telemetry(tracing=open_tracing(settings.tracing, stack, service="rag"))
    telemetry.describe_process(version("ticketstream"), "none")
    if authenticator is None:
        authenticator = open_authenticator(settings.auth, stack, telemetry=telemetry)
    budget = open_token_budget(settings.cache, stack, tokens_per_day=settings.language_model.tokens_per_day)
    links = model_links(
        settings.language_model, stack, telemetry=telemetry, budget=budget, timeout_s=settings.rag.timeout_s
    )
    chain = Chain(links=(*links, Link(writer=ExtractiveWriter())), observer=_Counted(telemetry))
    feedback = open_feedback_store(settings.rag, stack, telemetry=telemetry)
    relay = _open_relay(settings, feedback, telemetry, stack)
    searcher = open_live_searcher(settings, stack)
    cache, throttle = open_throttle(settings, stack, telemetry=telemetry)
    answering = Answering(
        searcher=searcher,
        chain=chain,
        feedback=feedback,
        known=KnownVotes(feedback, fresh_s=_FRESH_S[settings.rag.feedback_store]),
        cache=cache,
        telemetry=telemetry,
        useful=settings.search.useful_factor,
    )
    pool = open_pool(stack, threads=settings.rag.max_concurrent, timeout_s=settings.rag.timeout_s)
    app = rag_app(
        Service(answering, pool),
        settings.rag,
        authenticator=authenticator,
        ready=lambda: searcher.fault,
        warn=lambda: relay.fault,
        throttle=throttle,
        sessions=open_sessions(settings.sessions, stack, telemetry=telemetry),
    )
    mount_web(app, settings.web)
    return app


def _open_relay(settings: Settings, feedback: FeedbackStore, telemetry: Telemetry, stack: ExitStack) -> FeedbackRelay:
    relay = open_relay(
        feedback,
        partial(open_sender, settings.kafka),
        stack,
        topic=settings.topics.feedback,
        owner=owner_name(shared=settings.rag.feedback_store != "sqlite"),
        idle_s=_LOOK_EVERY_S[settings.rag.feedback_store],
    )
    telemetry.track("tickets_feedback_unsent", lambda: relay.waiting)
    return relay


def model_links(
    settings: LanguageModelSettings, stack: ExitStack, *, telemetry: Telemetry, budget: TokenBudget, timeout_s: float
) -> tuple[Link, ...]:
    """The language models of the settings as writers. Together they leave time for the writer that needs no model."""
    models = open_language_models(settings, stack, telemetry=telemetry, budget=budget)
    each_s = min(settings.timeout_s, _MODELS_SHARE * timeout_s / max(1, len(models)))
    rng = Random()  # noqa: S311 - canaries that a model must not repeat
    writers = [ModelWriter(model, max_tokens=settings.max_tokens, timeout_s=each_s, rng=rng) for model in models]
    return tuple(Link(writer=one, deadline_s=each_s) for one in writers)
