"""The embedding model, ready to run: from the cache, from the store of built models, or built here."""

import logging
from functools import partial
from typing import Final

from connectors.model_store import Store, bring, open_store
from core.errors import ConfigError
from core.protocols import Embedder, ModelTokenizer
from core.settings import ModelSettings
from models.device import why_no_gpu
from models.open import (
    artefact_folder,
    build,
    card_of,
    describe,
    fetch,
    load_embedder,
    load_text_tokenizer,
    needs_none,
    precision_of,
    weights_folder,
)
from models.run.cache import CachingEmbedder
from models.run.encoder import OnBatch
from models.store.artefact import GRAPH, MANIFEST
from models.store.cards import TOKENIZER
from models.store.files import Report
from runtime.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.model")

#: Of an artefact in a store; the manifest last, as without it there is no artefact.
_FILES: Final = (GRAPH, MANIFEST)


def open_embedder(
    settings: ModelSettings, *, progress: Report | None = None, on_batch: OnBatch | None = None
) -> Embedder:
    """The settings' embedder.

    Raises:
        ConfigError: a file is damaged, or not what the settings pin.
        UnavailableError: neither cache, store nor the weights' sources have it.
    """
    _say_device(settings)
    fetch_model(settings, progress=progress)
    return load_embedder(settings, on_batch=on_batch)


def open_caching_embedder(settings: ModelSettings, telemetry: Telemetry) -> Embedder:
    """The settings' embedder, with a cache of the vectors of recent texts, measured by `telemetry`.

    Raises:
        ConfigError: a file is damaged, or not what the settings pin.
        UnavailableError: neither cache, store nor the weights' sources have it.
    """
    embedder = open_embedder(settings, on_batch=telemetry.model_ran)
    texts = settings.vector_cache_texts
    return CachingEmbedder(embedder, texts=texts, on_lookup=telemetry.vectors_looked_up) if texts else embedder


def open_tokenizer(settings: ModelSettings) -> ModelTokenizer:
    """The settings' model's tokenizer; the model is fetched as for an embedder, and not loaded.

    Raises:
        ConfigError: a file is damaged, or not what the settings pin.
        UnavailableError: neither cache, store nor the weights' sources have it.
    """
    fetch_model(settings)
    return load_text_tokenizer(settings)


def _say_device(settings: ModelSettings) -> None:
    if settings.device == "auto" and not needs_none(settings):
        why = why_no_gpu()
        logger.info("the model runs on %s", "the GPU" if why is None else f"the CPU: {why}")


def fetch_model(settings: ModelSettings, *, progress: Report | None = None) -> None:
    """Have the model in the cache, verified: from the store when the settings name one that has it, else built.

    Raises:
        ConfigError: a file is damaged, or not what the settings pin.
        UnavailableError: neither cache, store nor the weights' sources have it.
    """
    if settings.store and not needs_none(settings) and not describe(settings).ready:
        _bring(settings, open_store(settings.store))
    fetch(settings, progress=progress)
    _require_pinned(settings)


def build_model(settings: ModelSettings, *, to: str | None, progress: Report | None = None) -> str:
    """Build the graph anew from the verified weights, and keep it in the cache and, where named, the store `to`.

    Returns:
        The stamp.

    Raises:
        ConfigError: the weights are damaged, or the model has none.
        UnavailableError: the weights can't be had, or the store can't be written.
    """
    if needs_none(settings):
        raise ConfigError(f"TICKETS_MODEL__NAME: {settings.name} has no weights, so there is nothing to build")
    artefact = build(settings, progress=progress)
    if to is not None:
        store, prefix = open_store(to), _prefix(settings)
        store.put(f"{prefix}/{TOKENIZER}", weights_folder(settings) / TOKENIZER)
        for name in _FILES:
            store.put(f"{prefix}/{name}", artefact.graph.with_name(name))
    return artefact.manifest.stamp


def _bring(settings: ModelSettings, store: Store) -> None:
    """What arrives is verified when it is loaded, as everything in the cache is."""
    take, prefix = partial(bring, store, _prefix(settings)), _prefix(settings)
    if not take((TOKENIZER,), weights_folder(settings)) or not take(_FILES, artefact_folder(settings)):
        return  # not there: it is built here
    if not describe(settings).ready:
        raise ConfigError(
            f"TICKETS_MODEL__STORE: what {settings.store} holds under {prefix} was made of other weights or by another "
            "version; run `ticketstream model build --to` anew"
        )


def _require_pinned(settings: ModelSettings) -> None:
    stamp = describe(settings).stamp
    if settings.stamp is not None and stamp != settings.stamp:
        raise ConfigError(
            f"TICKETS_MODEL__STAMP: {settings.stamp} is pinned and the model here is {stamp}; bring that model, or "
            "name a new collection, a new group and this stamp"
        )


def _prefix(settings: ModelSettings) -> str:
    return f"{card_of(settings).name}/{precision_of(settings)}"
