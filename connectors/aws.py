"""Clients of AWS with bounded waits and the process's own credentials."""

from typing import Any, Final

from msgspec import Struct

from core.errors import ConfigError

_SERVER_FAULT: Final = 500


class Timeouts(Struct, frozen=True):
    """Bounds of a call: seconds to connect and to wait for the response, and attempts of the client."""

    connect_s: float
    read_s: float
    attempts: int


#: For calls that nobody waits for closely. A long poll of a queue takes up to two seconds.
TIMEOUTS: Final = Timeouts(connect_s=2, read_s=5, attempts=4)
_CONNECTIONS: Final = 10


def open_client(
    service: str,
    region: str | None = None,
    *,
    no_region: str = "AWS_REGION: set it to a region",
    timeouts: Timeouts = TIMEOUTS,
    connections: int = _CONNECTIONS,
) -> Any:
    """A boto3 client, which connects with its first call.

    Args:
        service: its name in boto3.
        region: by default that of the environment or profile.
        no_region: the message if there is none; an example is added.
        timeouts: bounds of each call.
        connections: the most that are kept open.

    Raises:
        ConfigError: no region is configured.
    """
    import boto3  # noqa: PLC0415 - imported on AWS only
    from botocore.config import Config  # noqa: PLC0415 - likewise
    from botocore.exceptions import NoRegionError  # noqa: PLC0415 - likewise

    config = Config(
        retries={"mode": "standard", "total_max_attempts": timeouts.attempts},
        connect_timeout=timeouts.connect_s,
        read_timeout=timeouts.read_s,
        max_pool_connections=connections,
    )
    try:
        return boto3.client(service, region_name=region, config=config)
    except NoRegionError:
        raise ConfigError(f"{no_region}, such as eu-central-1") from None


def is_outage(error: Any) -> bool:
    """Whether botocore's ClientError is about an outage or throttling, so that the same call may succeed later."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return bool(status >= _SERVER_FAULT or "Throttl" in error.response["Error"]["Code"])
