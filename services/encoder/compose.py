"""The composition root of the encoder."""

from contextlib import ExitStack
from importlib.metadata import version

from fastapi import FastAPI

from core.settings import Settings
from runtime.model import open_embedder
from runtime.telemetry import Telemetry
from services.encoder.app import encoder_app
from services.http.callers import Authenticator


def open_app(settings: Settings, stack: ExitStack, *, authenticator: Authenticator | None = None) -> FastAPI:
    """The encoder, with its model loaded.

    Args:
        settings: all groups; that of the model is used.
        stack: closes what is opened.
        authenticator: not used, as no route needs a token.

    Raises:
        ConfigError: the model's files are damaged, or not those of the pinned stamp, or a remote model can't be called.
        UnavailableError: the model is neither in the cache nor in its store, and can't be downloaded.
    """
    del authenticator
    telemetry = Telemetry()
    embedder = open_embedder(settings.model, stack, on_batch=telemetry.model_ran)
    telemetry.describe_process(version("ticketstream"), embedder.stamp)
    return encoder_app(embedder, telemetry=telemetry)
