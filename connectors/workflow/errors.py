"""Translates botocore's errors for the workflow."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from connectors.aws import is_outage
from core.errors import FatalError, TransientError

#: The error if no region is configured.
NO_REGION: Final = "TICKETS_WORKFLOW__AWS_REGION: set it to a region"


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
        if is_outage(error):
            raise TransientError(f"{doing}: {code}") from None
        raise FatalError(f"{doing}: {code}") from None
