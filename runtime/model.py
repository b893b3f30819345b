"""Opens the embedding model: from the cache, from the store of built models, built here, or run by Amazon Bedrock."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from connectors.model_store import fetch_files, open_store
from core.errors import ConfigError, TransientError
from core.model_settings import ModelSettings
from core.protocols import Embedder, ModelTokenizer
from models.device import why_no_gpu
from models.open import (
    ModelDescription,
    VerifiedModel,
    artefact_folder,
    build,
    card_of,
    describe,
    find_model,
    open_text_tokenizer,
    precision_of,
    stamp_of,
    uses_hashing,
    weights_folder,
)
from models.open import open_embedder as open_verified_embedder
from models.run.cache import CachingEmbedder
from models.run.encoder import OnBatch
from models.run.pieces import PieceTokenizer
from models.store.artefact import GRAPH, MANIFEST
from models.store.cards import TOKENIZER
from models.store.files import ProgressCallback
from runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from connectors.language_models.titan import TitanEmbedder

logger: Final = logging.getLogger("ticketstream.model")

#: Files of an artefact in a store. The manifest comes last: it marks the artefact as complete.
_FILES: Final = (GRAPH, MANIFEST)


def open_embedder(
    settings: ModelSettings,
    stack: ExitStack,
    *,
    progress: ProgressCallback | None = None,
    on_batch: OnBatch | None = None,
    on_text: Callable[[], None] | None = None,
) -> Embedder:
    """The embedder that the settings name. A remote one is called once; its outage delays texts, and not the start.

    Args:
        settings: which model, and where its files are kept.
        stack: closes the client of a remote model.
        progress: called while the model is downloaded and built.
        on_batch: called after each run of the model.
        on_text: remote: called by `embed` on its caller's thread after each passage, as many may take long.

    Raises:
        ConfigError: a file is damaged, the stamp is not the pinned one, or a remote model can't be called.
        UnavailableError: the model is not in the cache or the store, and its weights can't be downloaded.
    """
    if settings.remote:
        remote = _open_titan(settings, stack, on_batch=on_batch, on_text=on_text)
        try:
            remote.check()
        except TransientError as error:
            logger.warning("%s does not answer yet: %s", settings.name, error)
        return remote
    _log_device(settings)
    return open_verified_embedder(settings, fetch_model(settings, progress=progress), on_batch=on_batch)


def open_caching_embedder(
    settings: ModelSettings, stack: ExitStack, telemetry: Telemetry, *, on_text: Callable[[], None]
) -> Embedder:
    """The embedder that the settings name, measured by `telemetry`, with a cache of the vectors of recent texts.

    `on_text` is as for `open_embedder`.

    Raises:
        ConfigError: as `open_embedder`.
        UnavailableError: likewise.
    """
    embedder = open_embedder(settings, stack, on_batch=telemetry.model_ran, on_text=on_text)
    texts = settings.vector_cache_texts
    return CachingEmbedder(embedder, texts=texts, on_lookup=telemetry.vectors_looked_up) if texts else embedder


def open_question_embedder(settings: ModelSettings, stack: ExitStack) -> Embedder:
    """The embedder that the settings name, with the memory of one thread: questions are embedded one after another.

    Raises:
        ConfigError: as `open_embedder`.
        UnavailableError: likewise.
    """
    return open_embedder(settings.model_copy(update={"threads": 1}), stack)


def open_tokenizer(settings: ModelSettings) -> ModelTokenizer:
    """The tokenizer of the model that the settings name. The model is fetched if needed, and not loaded or called.

    Raises:
        ConfigError: a file is damaged, or the stamp is not the pinned one.
        UnavailableError: the model is not in the cache or the store, and its weights can't be downloaded.
    """
    model = fetch_model(settings)
    return PieceTokenizer() if settings.remote else open_text_tokenizer(model)


def describe_model(settings: ModelSettings) -> ModelDescription:
    """The model and whether its files are ready, without downloading, building or calling anything.

    Raises:
        ConfigError: a file is damaged.
    """
    if not settings.remote:
        return describe(settings)
    stamp, dimension = _titan_stamp(settings), settings.dimensions
    return ModelDescription(settings.name, True, PieceTokenizer.max_tokens, None, stamp, dimension)


def check_remote_model(settings: ModelSettings) -> None:
    """Call a remote model once.

    Raises:
        ConfigError: this process can't call it, or not with these settings.
        TransientError: an outage.
    """
    with ExitStack() as stack:
        _open_titan(settings, stack).check()


def _open_titan(
    settings: ModelSettings,
    stack: ExitStack,
    *,
    on_batch: OnBatch | None = None,
    on_text: Callable[[], None] | None = None,
) -> "TitanEmbedder":
    # boto3 takes a third of a second to import.
    from connectors.language_models.titan import open_titan_embedder  # noqa: PLC0415

    _require_pinned(settings, _titan_stamp(settings))
    return open_titan_embedder(
        stack,
        dimension=settings.dimensions,
        region=settings.aws_region,
        max_concurrent_calls=settings.max_concurrent_calls,
        tokenizer=PieceTokenizer(),
        on_call=on_batch,
        on_text=on_text,
    )


def _titan_stamp(settings: ModelSettings) -> str:
    from connectors.language_models.titan_calls import titan_stamp  # noqa: PLC0415 - as above

    return titan_stamp(settings.dimensions)


def _log_device(settings: ModelSettings) -> None:
    if settings.device == "auto" and not uses_hashing(settings):
        why = why_no_gpu()
        logger.info("the model runs on %s", "the GPU" if why is None else f"the CPU: {why}")


def fetch_model(settings: ModelSettings, *, progress: ProgressCallback | None = None) -> VerifiedModel | None:
    """The model's files: from the cache, else from the store that the settings name, else built here.

    Every file is hashed once. None for a model without files, and for a remote one, which is not called.

    Raises:
        ConfigError: a file is damaged, or the stamp is not the pinned one.
        UnavailableError: the model is not in the cache or the store, and its weights can't be downloaded.
    """
    if settings.remote:
        _require_pinned(settings, _titan_stamp(settings))
        return None
    model = None
    if not uses_hashing(settings):
        model = find_model(settings) or _from_store(settings) or build(settings, progress=progress, rebuild=False)
    _require_pinned(settings, stamp_of(model))
    return model


def build_model(settings: ModelSettings, *, to: str | None, progress: ProgressCallback | None = None) -> str:
    """Rebuild the graph from the verified weights, and save it in the cache and, if given, in the store `to`.

    Returns:
        The model's stamp.

    Raises:
        ConfigError: the weights are damaged, or the model has none.
        UnavailableError: the weights can't be downloaded, or the store can't be written.
    """
    if settings.remote or uses_hashing(settings):
        raise ConfigError(f"TICKETS_MODEL__NAME: {settings.name} has no weights here, so there is nothing to build")
    model = build(settings, progress=progress)
    if to is not None:
        store, prefix = open_store(to), _prefix(settings)
        store.put(f"{prefix}/{TOKENIZER}", model.tokenizer)
        for name in _FILES:
            store.put(f"{prefix}/{name}", model.artefact.graph.with_name(name))
    return stamp_of(model)


def _from_store(settings: ModelSettings) -> VerifiedModel | None:
    """The model from the settings' store, verified; None without a store, or if the store doesn't have it."""
    if settings.store is None:
        return None
    take, prefix = partial(fetch_files, open_store(settings.store), _prefix(settings)), _prefix(settings)
    if not take((TOKENIZER,), weights_folder(settings)) or not take(_FILES, artefact_folder(settings)):
        return None
    model = find_model(settings)
    if model is None:
        raise ConfigError(
            f"TICKETS_MODEL__STORE: the model in {settings.store} under {prefix} was built from other weights or by "
            "another version; run `ticketstream model build --to` again"
        )
    return model


def _require_pinned(settings: ModelSettings, stamp: str) -> None:
    if settings.stamp is not None and stamp != settings.stamp:
        raise ConfigError(
            f"TICKETS_MODEL__STAMP: {settings.stamp} is pinned, but the installed model has stamp {stamp}; install the "
            f"pinned model, or pin {stamp} and use a new collection and a new consumer group"
        )


def _prefix(settings: ModelSettings) -> str:
    return f"{card_of(settings).name}/{precision_of(settings)}"
