"""Opens the index: for writing, which creates and locks it, or for reading, which changes nothing."""

from contextlib import ExitStack

from connectors.qdrant import open as openers
from connectors.qdrant.policy import VersionedIndex
from core.protocols import Embedder, IndexReader
from core.settings import IndexSettings


def open_index_for_writing(settings: IndexSettings, embedder: Embedder, stack: ExitStack) -> VersionedIndex:
    """Open the index for `embedder`'s vectors, creating it if it is missing; `stack` closes it.

    Raises:
        ConfigError: another process uses it, or it was created for another model.
        UnavailableError: the server doesn't answer.
    """
    index = openers.open_index_for_writing(settings, dimension=embedder.dimension, model=embedder.stamp)
    stack.callback(index.close)
    return index


def open_index_for_reading(settings: IndexSettings, embedder: Embedder, stack: ExitStack) -> IndexReader:
    """Open the index of `embedder`'s vectors without creating or locking anything; `stack` closes it.

    Raises:
        NoIndexError: it doesn't exist.
        InUseError: it is embedded, and another process is using it.
        ConfigError: it was created for another model.
        UnavailableError: the server doesn't answer.
    """
    index = openers.open_reader(settings, dimension=embedder.dimension, model=embedder.stamp)
    stack.callback(index.close)
    return index
