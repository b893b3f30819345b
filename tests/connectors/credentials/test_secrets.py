"""Secrets Manager's versions and stages, on an emulator."""

from collections.abc import Iterator
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from connectors.credentials.secrets import SecretsManager, decoded
from core.errors import FatalError


@pytest.fixture
def secrets() -> Iterator[SecretsManager]:
    with mock_aws():
        yield SecretsManager(boto3.client("secretsmanager", region_name="eu-central-1"))


def test_a_pending_version_becomes_the_current_one(secrets: SecretsManager) -> None:
    """Until it is promoted, readers get the version before it."""
    secret_id = secrets.client.create_secret(Name="key", SecretString='{"key":"one"}')["ARN"]
    (before,) = secrets.stages(secret_id)
    version = str(uuid4())
    assert secrets.get(secret_id, "AWSPENDING", version) is None
    for _ in range(2):
        secrets.put(secret_id, {"key": "two"}, version=version, stage="AWSPENDING")
    assert secrets.stages(secret_id)[version] == {"AWSPENDING"}
    assert secrets.get(secret_id, "AWSCURRENT") == {"key": "one"}
    assert secrets.get(secret_id, "AWSPENDING", version) == {"key": "two"}
    secrets.promote(secret_id, version, instead_of=before)
    assert secrets.get(secret_id, "AWSCURRENT") == {"key": "two"}


def test_a_refusal_is_fatal_and_quotes_nothing(secrets: SecretsManager) -> None:
    """Neither AWS's message nor the secret's text is in ours."""
    secret_id = secrets.client.create_secret(Name="key", SecretString="s3cret")["ARN"]
    with pytest.raises(FatalError, match="is not a JSON object") as caught:
        secrets.get(secret_id, "AWSCURRENT")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(FatalError, match=r"^promoting a secret: \w+$"):
        secrets.promote(secret_id, "no-such-version-" + "x" * 32, instead_of="y" * 32)
    with pytest.raises(FatalError):
        decoded("id", "[1]")
