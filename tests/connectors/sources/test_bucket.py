"""Listing, identity and reading of a bucket's objects, and a producer that follows them."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from connectors.sources.bucket import BucketSource, open_bucket
from core.errors import ConfigError, FatalError, TransientError
from tests.services.producer.world import World, events, line

BUCKET = "tickets"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 in this process, with one empty bucket."""
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


def _put(s3: Any, key: str, body: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def _names(place: str) -> list[str]:
    return [file.name.removeprefix(f"s3://{BUCKET}/") for file in open_bucket(place, "X").files()]


def test_a_prefix_or_a_pattern_selects_objects(s3: Any) -> None:
    """Lists of any length are read, and the empty objects that stand for folders are left out."""
    for key in (
        "in/a.jsonl",
        "in/b.csv",
        "in/",
        "in/deep/c.jsonl",
        "other/d.jsonl",
        *(f"many/{n}" for n in range(1_001)),
    ):
        _put(s3, key, b"x")
    assert _names(f"s3://{BUCKET}/in/") == ["in/a.jsonl", "in/b.csv", "in/deep/c.jsonl"]
    assert _names(f"s3://{BUCKET}/in/*.jsonl") == ["in/a.jsonl", "in/deep/c.jsonl"]
    assert len(_names(f"s3://{BUCKET}/many/")) == 1_001


def test_a_broken_connection_is_opened_again_where_it_broke(s3: Any) -> None:
    """After a broken connection no byte is lost or read twice."""
    _put(s3, "a", bytes(range(100)))

    class Body:
        def __init__(self, body: Any) -> None:
            self._body = body

        def read(self, size: int) -> bytes:
            if faults.pop():
                raise ReadTimeoutError(endpoint_url="s3")
            return bytes(self._body.read(size))

        def close(self) -> None:
            pass

    class Client:
        def get_object(self, **request: Any) -> dict[str, Any]:
            return {"Body": Body(s3.get_object(**request)["Body"])}

        def list_objects_v2(self, **request: Any) -> dict[str, Any]:
            found: dict[str, Any] = s3.list_objects_v2(**request)
            return found

    faults = [False, True, True, False, True, False]
    source = BucketSource(Client(), BUCKET, "a")
    file = source.open(next(source.files()))
    assert b"".join([file.read(40), file.read(40), file.read(40), file.read(40)]) == bytes(range(100))
    assert not faults
    file.close()


def test_an_object_that_was_replaced_or_deleted_is_tried_again(s3: Any) -> None:
    """Reading never continues with the bytes of another object."""
    _put(s3, "a", b"old")
    source = open_bucket(f"s3://{BUCKET}/a", "X")
    found = next(iter(source.files()))
    _put(s3, "a", b"new")
    with pytest.raises(TransientError, match="replaced by another object"):
        source.open(found).read(9)
    s3.delete_object(Bucket=BUCKET, Key="a")
    with pytest.raises(TransientError, match="was deleted"):
        source.open(found).read(9)


def test_a_missing_bucket_is_named(s3: Any) -> None:
    """The error for a missing bucket says what to check."""
    del s3
    with pytest.raises(FatalError, match=r"s3://nobodys/x: NoSuchBucket; check the bucket's name"):
        list(open_bucket("s3://nobodys/x", "X").files())


@pytest.mark.parametrize("place", ["s3://", "s3:///x", "s3://[tickets/x", "s3://ada:s3cret@tickets/x"])
def test_an_address_without_a_bucket_is_the_users_mistake(place: str) -> None:
    """The error names the setting, and shows no password."""
    with pytest.raises(ConfigError, match=r"^X: .* is not an s3://bucket/prefix$") as caught:
        open_bucket(place, "X")
    assert "s3cret" not in str(caught.value)


def test_a_producer_follows_a_bucket(s3: Any, tmp_path: Path) -> None:
    """New objects are sent, packed or not, with their last lines; a longer version of an object continues."""
    with ExitStack() as stack:
        world = World(tmp_path, stack, sources=f"s3://{BUCKET}/in/")
        task = world.task()
        old = b"".join(line(n) for n in range(20))
        _put(s3, "in/a.jsonl", old + line(20)[:-1])
        _put(s3, "in/b.jsonl.gz", gzip.compress(line(30)) + gzip.compress(line(31)))
        task.work()
        assert sorted(world.broker.values()) == sorted(events(*range(21), 30, 31))
        world.task("restarted").work()
        _put(s3, "in/a.jsonl", old + line(20) + line(21))
        _put(s3, "in/c.jsonl", old + line(22))
        task.work()
        assert sorted(world.broker.values()[23:]) == events(21, 22)
