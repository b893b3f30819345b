"""Clients of AWS: their region and bounds, and errors after which a call may succeed."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from connectors.aws import Timeouts, is_outage, open_client
from core.errors import ConfigError


def test_a_missing_region_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The line says what to set, with an example."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with pytest.raises(ConfigError, match=r"^AWS_REGION: set it to a region, such as eu-central-1$"):
        open_client("sqs")


def test_waits_and_attempts_are_bounded() -> None:
    """A client takes its bounds from the caller."""
    config = open_client("sqs", "eu-central-1", timeouts=Timeouts(1, 2, 3), connections=5).meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (1, 2, 5)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}


@pytest.mark.parametrize(
    ("code", "status", "outage"),
    [("ThrottlingException", 400, True), ("InternalFailure", 500, True), ("AccessDeniedException", 403, False)],
)
def test_throttling_and_faults_of_aws_are_outages(code: str, status: int, outage: bool) -> None:
    """A throttled call and a fault of AWS may succeed later; a refused one can't."""
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert is_outage(ClientError(response, "Call")) is outage
