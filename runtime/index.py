"""Opens the index: for writing, which creates and owns it, or for reading, which changes nothing."""

from contextlib import ExitStack

from connectors.qdrant.open import open_index, open_reader
from connectors.qdrant.policy import VersionedIndex
from core.protocols import Embedder, IndexReader
from core.settings import IndexSettings


def open_index_for_writing(settings: IndexSettings, embedder: Embedder, stack: ExitStack) -> VersionedIndex:
    """The index that the settings name, created if it is missing, for vectors of `embedder`.

    Raises:
        ConfigError: it belongs to another process or model.
        UnavailableError: it doesn't answer.
    """
    index = open_index(settings, dimension=embedder.dimension, model=embedder.stamp)
    stack.callback(index.close)
    return index


def open_index_for_reading(settings: IndexSettings, embedder: Embedder, stack: ExitStack) -> IndexReader:
    """The index that the settings name, as it is: nothing is created or locked.

    Raises:
        ConfigError: there is none, or it belongs to another model.
        UnavailableError: it doesn't answer.
    """
    index = open_reader(settings, dimension=embedder.dimension, model=embedder.stamp)
    stack.callback(index.close)
    return index
