"""Opens the store of ended sign-ins: in this process, in a file, or in DynamoDB."""

from contextlib import ExitStack

from connectors.sessions.dynamodb import open_dynamo_endings
from connectors.sessions.memory import MemoryEndings
from connectors.sessions.sqlite import open_sqlite_endings
from core.service_settings import SessionSettings
from core.sessions import Endings


def open_endings(settings: SessionSettings, stack: ExitStack) -> Endings:
    """The store that the settings name, which `stack` closes. An outage of DynamoDB raises nothing.

    Raises:
        ConfigError: the file can't be written, or no region is configured.
        UnavailableError: DynamoDB refuses, or the table is missing.
    """
    store: Endings
    if settings.store == "memory":
        store = MemoryEndings()
    elif settings.store == "sqlite":
        store = open_sqlite_endings(settings.path)
    else:
        store = open_dynamo_endings(prefix=settings.table_prefix, region=settings.aws_region)
    stack.callback(store.close)
    return store
