"""Secrets in AWS Secrets Manager: their versions, and the stages that name them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from connectors.aws import is_outage, open_client
from core.errors import FatalError, TransientError

Stage = Literal["AWSCURRENT", "AWSPENDING"]
#: A secret's fields.
Secret = Mapping[str, Any]


class Secrets(Protocol):
    """The secrets of an account. Every method raises `TransientError` in an outage, and `FatalError` if refused."""

    def stages(self, secret_id: str) -> Mapping[str, frozenset[str]]:
        """The stages of each version."""
        ...

    def get(self, secret_id: str, stage: Stage, version: str | None = None) -> Secret | None:
        """The version at a stage, and of this id if one is given. None if it has no value."""
        ...

    def put(self, secret_id: str, value: Secret, *, version: str | None = None, stage: Stage = "AWSCURRENT") -> None:
        """Write a version. Idempotent for the same version and value."""
        ...

    def promote(self, secret_id: str, version: str, *, instead_of: str) -> None:
        """Make a version the current one."""
        ...


class SecretsManager(Struct, frozen=True, eq=False):
    """Implements `Secrets` with a boto3 client."""

    client: Any

    def stages(self, secret_id: str) -> Mapping[str, frozenset[str]]:
        """See `Secrets`."""
        with translated("describing a secret"):
            found = self.client.describe_secret(SecretId=secret_id)
        return {version: frozenset(stages) for version, stages in found.get("VersionIdsToStages", {}).items()}

    def get(self, secret_id: str, stage: Stage, version: str | None = None) -> Secret | None:
        """See `Secrets`."""
        request = {"SecretId": secret_id, "VersionStage": stage} | ({} if version is None else {"VersionId": version})
        try:
            with translated("reading a secret"):
                text = self.client.get_secret_value(**request)["SecretString"]
        except self.client.exceptions.ResourceNotFoundException:
            return None
        return decoded(secret_id, text)

    def put(self, secret_id: str, value: Secret, *, version: str | None = None, stage: Stage = "AWSCURRENT") -> None:
        """See `Secrets`."""
        request = {"SecretId": secret_id, "SecretString": msgspec.json.encode(value).decode(), "VersionStages": [stage]}
        with translated("writing a secret"):
            self.client.put_secret_value(**request, **({} if version is None else {"ClientRequestToken": version}))

    def promote(self, secret_id: str, version: str, *, instead_of: str) -> None:
        """See `Secrets`."""
        with translated("promoting a secret"):
            self.client.update_secret_version_stage(
                SecretId=secret_id,
                VersionStage="AWSCURRENT",
                MoveToVersionId=version,
                RemoveFromVersionId=instead_of,
            )


def decoded(secret_id: str, text: str) -> Secret:
    """The fields of a secret's text.

    Raises:
        FatalError: it is not a JSON object. The message doesn't quote it.
    """
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise FatalError(f"the secret {secret_id} is not a JSON object") from None


def open_secrets(region: str | None = None) -> SecretsManager:
    """A client of Secrets Manager.

    Raises:
        ConfigError: no region is configured.
    """
    return SecretsManager(open_client("secretsmanager", region))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate botocore's errors, except a missing value, without their messages, which may quote a secret.

    Raises:
        TransientError: an outage, after the client's own attempts.
        FatalError: AWS refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - imported on AWS only

    try:
        yield
    except BotoCoreError as error:
        raise TransientError(f"{doing}: {type(error).__name__}") from None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            raise
        if is_outage(error):
            raise TransientError(f"{doing}: {code}") from None
        raise FatalError(f"{doing}: {code}") from None
