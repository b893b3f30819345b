"""The OpenAPI document of the RAG service, as docs/openapi/rag.json has it."""

from typing import Any, cast

from answers.chain import Chain
from connectors.cache.memory import MemoryCache
from core.feedback import FeedbackStore
from core.service_settings import RagSettings
from runtime.searcher import Searcher
from runtime.telemetry import Telemetry
from services.http.callers import Authenticator
from services.rag.answering import Answering
from services.rag.app import rag_app
from services.rag.known_votes import KnownVotes
from services.rag.pulling import Pool
from services.rag.routes import Service


def rag_document() -> dict[str, Any]:
    """The document, from an app without an index."""
    answering = Answering(
        searcher=cast("Searcher", None),
        chain=Chain(links=()),
        feedback=cast("FeedbackStore", None),
        known=cast("KnownVotes", None),
        cache=MemoryCache(max_bytes=10**7),
        telemetry=Telemetry(),
        useful=0,
    )
    app = rag_app(
        Service(answering, cast("Pool", None)),
        RagSettings(),
        authenticator=cast("Authenticator", None),
        ready=lambda: None,
        warn=lambda: None,
    )
    return app.openapi()
