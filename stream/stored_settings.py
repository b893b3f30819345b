"""The settings that decide what an index stores: they are noted in it, and compared with a worker's at its start."""

import logging
from collections.abc import Mapping
from typing import Final

from core.environment import shown_value, variables
from core.errors import ConfigError
from core.settings import Settings
from stream.roles import Role

logger: Final = logging.getLogger("ticketstream.stream")

#: Prefixes of those settings. The embedding role knows nothing of the enrichment role's settings.
_EMBEDDING: Final = ("TICKETS_CLASSIFY__",)
_DECIDING: Final = {
    "pipeline": ("TICKETS_CONTRACT__", "TICKETS_ENRICH__", "TICKETS_CHUNK__", *_EMBEDDING),
    "embedding": _EMBEDDING,
}
_VERSION_SOURCE: Final = "TICKETS_CONTRACT__VERSION_SOURCE"


def stored_settings(settings: Settings, role: Role) -> dict[str, str]:
    """The settings of a role that decide what the index stores, by variable. A file counts as set or not set."""
    wanted = [name for name in variables() if name.startswith(_DECIDING[role.name])]
    found = {name: shown_value(settings, name) for name in wanted}
    found |= {name: str(bool(found[name])).lower() for name in wanted if name.endswith("_FILE")}
    return found | {"TICKETS_KAFKA__GROUP": settings.kafka.group, "TICKETS_TOPICS__RAW": settings.topics.raw}


def require_same_version(noted: Mapping[str, str], stored: Mapping[str, str]) -> None:
    """Check that both settings order the changes of a ticket by the same field.

    Raises:
        ConfigError: they don't.
    """
    before, now = noted.get(_VERSION_SOURCE), stored.get(_VERSION_SOURCE)
    if None not in {before, now} and before != now:
        raise ConfigError(
            f"{_VERSION_SOURCE} is {now}, but the index was written with {before}, whose versions can't be "
            f"compared with these; set it back, or set a new index and a new TICKETS_KAFKA__GROUP"
        )


def warn_of_changes(noted: Mapping[str, str], stored: Mapping[str, str]) -> None:
    """Warn of settings that differ from those of the index's last worker, which may still be running."""
    for name in sorted(noted.keys() & stored.keys()):
        if noted[name] != stored[name]:
            logger.warning(
                "%s is %s now, and the index was written with %s: set it alike for all workers; `ticketstream rebuild` "
                "applies a change to tickets that are indexed",
                name,
                stored[name] or "not set",
                noted[name] or "not set",
            )
