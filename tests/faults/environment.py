"""The variables of the workers that are attacked."""

from collections.abc import Mapping

from core.settings import IndexSettings


def environment_of(settings: Mapping[str, str], *, mutant: str, server: IndexSettings | None) -> dict[str, str]:
    """The variables of a worker, with `mutant` and `server` if given; `settings` override them."""
    environment = {
        "TICKETS_KAFKA__COMMIT_INTERVAL_S": "0.2",
        "TICKETS_WRITER__BACKOFF_MAX_S": "0.5",
        "TICKETS_KAFKA__MAX_POLL_INTERVAL_S": "30",
    }
    if mutant:
        environment["TICKETS_TEST_MUTANT"] = mutant
    if server is not None:
        environment["TICKETS_INDEX__URL"] = str(server.url)
        environment["TICKETS_INDEX__REPLICATION_FACTOR"] = str(server.replication_factor)
        environment["TICKETS_INDEX__TIMEOUT_S"] = "20"
    return environment | {f"TICKETS_{name}": value for name, value in settings.items()}
