"""Clients of AWS for the workflow, and the translation of their errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from core.errors import ConfigError, FatalError, TransientError

_RETRIES: Final = {"mode": "standard", "total_max_attempts": 4}
_SERVER_FAULT: Final = 500


def open_client(service: str, region: str | None) -> Any:
    """A boto3 client with bounded waits. A long poll of the queue takes up to two seconds.

    Raises:
        ConfigError: no region is configured.
    """
    import boto3  # noqa: PLC0415 - imported on AWS only
    from botocore.config import Config  # noqa: PLC0415 - likewise
    from botocore.exceptions import NoRegionError  # noqa: PLC0415 - likewise

    try:
        config = Config(retries=_RETRIES, connect_timeout=2, read_timeout=5)
        return boto3.client(service, region_name=region, config=config)
    except NoRegionError:
        raise ConfigError("TICKETS_WORKFLOW__AWS_REGION: set it to a region, such as eu-central-1") from None


@contextmanager
def translated(doing: str, *, expected: str = "") -> Iterator[list[str]]:
    """Translate botocore's errors. Yields a list that gets the code `expected` instead of an error.

    Raises:
        TransientError: an outage, after the client's own attempts.
        FatalError: AWS refuses.
    """
    from botocore.exceptions import (  # noqa: PLC0415 - imported on AWS only
        BotoCoreError,
        ClientError,
        NoCredentialsError,
    )

    found: list[str] = []
    try:
        yield found
    except NoCredentialsError:
        raise FatalError(f"{doing}: there are no credentials; give boto3 a role, a profile or a key") from None
    except BotoCoreError as error:
        raise TransientError(f"{doing}: {' '.join(str(error).split())}") from None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == expected:
            found.append(code)
            return
        status = cast("int", error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if status >= _SERVER_FAULT or "Throttl" in code:
            raise TransientError(f"{doing}: {code}") from None
        raise FatalError(f"{doing}: {code}") from None
