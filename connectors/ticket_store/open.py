"""Opens the stores that the ticket API's settings name."""

from contextlib import ExitStack

from connectors.ticket_store.dynamodb import DynamoStores, open_dynamodb
from connectors.ticket_store.sqlite import SqliteStores, open_sqlite
from core.service_settings import ApiSettings


def open_stores(settings: ApiSettings, stack: ExitStack) -> SqliteStores | DynamoStores:
    """The tickets and their outbox.

    Raises:
        ConfigError: the path can't be used, or no region is configured.
        UnavailableError: the store can't be opened.
    """
    if settings.store == "sqlite":
        return open_sqlite(settings.path, stack)
    return open_dynamodb(prefix=settings.table_prefix, region=settings.aws_region)
