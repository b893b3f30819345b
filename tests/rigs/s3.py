"""A local S3, which the environment names to boto3."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.rigs.waiting import PATIENCE_S

_REGION: Final = "eu-central-1"


@contextmanager
def start_s3(monkeypatch: pytest.MonkeyPatch, bucket: str) -> Iterator[str]:
    """Start an S3 with one empty bucket, and yield its endpoint."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        name_endpoint(monkeypatch, endpoint)
        # Buckets belong to this process and outlive the server.
        urlopen(Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=PATIENCE_S).close()
        boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": _REGION})
        yield endpoint
    finally:
        server.stop()


def name_endpoint(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Make boto3 use `endpoint`, without waiting between attempts for long."""
    settings = {"ENDPOINT_URL": endpoint, "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
    for name, value in {**settings, "DEFAULT_REGION": _REGION, "MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
