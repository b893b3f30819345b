"""Terms on a Qdrant server: adds them to a collection, and checks that server and collection support them."""

import logging
import re
from typing import Final

from qdrant_client import models

from connectors.qdrant.connection import Connection
from connectors.qdrant.layout import TERMS
from core.errors import FatalError

logger: Final = logging.getLogger("ticketstream.index")

#: The first version that counts a word's rarity in one tenant's passages. An older one would ignore the request, and
#: other tenants' words would move a tenant's scores.
_RARITY_BY_TENANT: Final = (1, 19)
_VERSION: Final = re.compile(r"(\d+)\.(\d+)")

#: The sparse vector of a new collection.
CONFIG: Final = {TERMS: models.SparseVectorParams(modifier=models.Modifier.IDF)}


def add_terms(connection: Connection, name: str) -> None:
    """Add terms to a collection that an earlier version of this program created. Idempotent.

    If the server can't add them, tickets are found by meaning only.
    """
    if stores_terms(connection, name):
        return
    config = models.SparseVectorNameConfig(sparse=models.SparseVectorConfig(modifier=models.Modifier.IDF))
    try:
        connection.ask_at_start(lambda client: client.create_vector_name(name, TERMS, config))
    except FatalError:
        if not stores_terms(connection, name):  # another worker that starts now may have added them
            logger.warning(
                "this Qdrant server can't add words to the collection %s: tickets are found by meaning only; "
                "`ticketstream rebuild` creates a collection with words",
                name,
            )


def stores_terms(connection: Connection, name: str) -> bool:
    """Whether the collection, or the alias of one, has terms."""
    params = connection.ask_at_start(lambda client: client.get_collection(name)).config.params
    return TERMS in (params.sparse_vectors or {})


def finds_terms(connection: Connection, name: str) -> bool:
    """Whether a search can use the collection's terms; if only the server's version is the reason, it is logged."""
    if not stores_terms(connection, name):
        return False
    version = connection.ask_at_start(lambda client: client.info()).version
    found = _VERSION.match(version)
    if found is not None and (int(found[1]), int(found[2])) >= _RARITY_BY_TENANT:
        return True
    logger.warning(
        "Qdrant %s can't count a word's rarity by tenant, so tickets are found by meaning only; use %d.%d or later",
        version,
        *_RARITY_BY_TENANT,
    )
    return False
