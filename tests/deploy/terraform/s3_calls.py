"""Records the calls of S3 that the archive and the producer make, as IAM checks them: an action and a resource."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Final, cast

import boto3
from moto import mock_aws

from connectors.archive_store.bucket import BucketArchive
from connectors.sources.bucket import BucketSource, Client

Call = tuple[str, str]

BUCKET: Final = "bucket"
_ACTIONS: Final = {"GetObject": "s3:GetObject", "PutObject": "s3:PutObject", "ListObjectsV2": "s3:ListBucket"}


def calls_of_the_archiver() -> set[Call]:
    """The calls of an archiver, which lists, creates files, and reads and replaces manifests."""
    with _recorded() as (client, calls):
        archive = BucketArchive(client, BUCKET, "")
        assert archive.create("tickets.raw/a.b/00000/data/0", BytesIO(b"events"))
        assert archive.create("tickets.raw/a.b/00000/manifest/0", BytesIO(b"1"))
        found = archive.read("tickets.raw/a.b/00000/manifest/0")
        assert found is not None
        assert archive.replace("tickets.raw/a.b/00000/manifest/0", b"2", found.version)
        assert list(archive.names("tickets.raw/"))
        assert archive.folders("tickets.raw") == ["a.b"]
        assert archive.read("tickets.raw/a.b/00000/manifest/1") is None
    return calls


def calls_of_a_reader() -> set[Call]:
    """The calls of `archive list`, `verify` and `restore`, and of a rebuild, which list and read."""
    with _recorded() as (client, calls):
        client.put_object(Bucket=BUCKET, Key="tickets.raw/a", Body=b"events")
        calls.clear()
        archive = BucketArchive(client, BUCKET, "")
        assert list(archive.names("tickets.raw/"))
        assert archive.fetch("tickets.raw/a", BytesIO())
    return calls


def calls_of_the_producer(pattern: str, key: str) -> set[Call]:
    """The calls of a producer that reads `key` from the source s3://bucket/PATTERN."""
    with _recorded() as (client, calls):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"a line\n")
        calls.clear()
        source = BucketSource(cast("Client", client), BUCKET, pattern)
        (found,) = source.files()
        assert source.open(found).read(100) == b"a line\n"
    return calls


@contextmanager
def _recorded() -> Iterator[tuple[Any, set[Call]]]:
    """A client of an S3 in this process, and its calls."""
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        calls: set[Call] = set()

        def note(params: dict[str, Any], model: Any, **_more: Any) -> None:
            key = params.get("Key")
            calls.add((_ACTIONS[model.name], f"{params['Bucket']}/{key}" if key else params["Bucket"]))

        client.meta.events.register("provide-client-params.s3", note)
        yield client, calls
