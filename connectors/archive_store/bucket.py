"""The archive in S3, by conditional writes: If-None-Match for files, If-Match for manifests.

boto3 takes credentials, region and endpoint from the environment. The role needs s3:GetObject, s3:PutObject and
s3:ListBucket, without which S3 answers 403 for an object that doesn't exist.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO, Final, Protocol

from archive.store import Versioned
from core.errors import TicketstreamError, TransientError, UnavailableError

#: A call ends within this, so that the consumer stays in its group; the archiver retries.
_CONNECT_S: Final = 5
_READ_S: Final = 15
_ATTEMPTS: Final = 2
_CHUNK: Final = 1024 * 1024

_ABSENT: Final = {"404", "NoSuchKey"}
_CONDITION_FAILED: Final = {"412", "PreconditionFailed"}
#: Another conditional write is under way, or S3 asks for fewer requests.
_SOON: Final = {"ConditionalRequestConflict", "SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "Throttling"}
_SERVER_ERROR: Final = 500


class _Client(Protocol):
    """The methods of boto3's client that are used; boto3 has no types."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]: ...  # noqa: N803 - boto3's names

    def put_object(self, *, Bucket: str, Key: str, Body: BinaryIO, **condition: str) -> object: ...  # noqa: N803 - likewise

    def get_paginator(self, operation: str) -> Any: ...


class BucketArchive:
    """Implements `archive.store.ArchiveStore`."""

    def __init__(self, client: _Client, bucket: str, prefix: str) -> None:
        """Use the objects of `bucket` whose keys begin with `prefix`; see `open_bucket`."""
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def where(self, name: str) -> str:
        """See `ArchiveStore`."""
        return f"s3://{self._bucket}/{self._prefix}{name}"

    def names(self, prefix: str) -> Iterator[str]:
        """See `ArchiveStore`."""
        for page in self._pages(prefix):
            for found in page.get("Contents", ()):
                yield found["Key"].removeprefix(self._prefix)

    def folders(self, folder: str) -> list[str]:
        """See `ArchiveStore`."""
        pages = self._pages(f"{folder}/", Delimiter="/")
        found = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", ())]
        return sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found)

    def read(self, name: str) -> Versioned | None:
        """See `ArchiveStore`."""
        to = BytesIO()
        version = self._get(name, to)
        return None if version is None else Versioned(to.getvalue(), version)

    def fetch(self, name: str, to: BinaryIO) -> bool:
        """See `ArchiveStore`."""
        return self._get(name, to) is not None

    def create(self, name: str, source: BinaryIO) -> bool:
        """See `ArchiveStore`."""
        source.seek(0)
        return self._put(name, source, IfNoneMatch="*")

    def replace(self, name: str, data: bytes, version: str) -> bool:
        """See `ArchiveStore`."""
        return self._put(name, BytesIO(data), IfMatch=version)

    def _pages(self, prefix: str, **options: str) -> Iterator[Mapping[str, Any]]:
        with self._errors(prefix):
            lister = self._client.get_paginator("list_objects_v2")
            yield from lister.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix, **options)

    def _get(self, name: str, to: BinaryIO) -> str | None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for buckets only

        with self._errors(name):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise
            copied = 0
            with found["Body"] as body:
                while data := body.read(_CHUNK):
                    copied += to.write(data)
            if copied != found["ContentLength"]:
                raise TransientError(f"{self.where(name)}: {copied:,} of {found['ContentLength']:,} bytes arrived")
            return str(found["ETag"])

    def _put(self, name: str, body: BinaryIO, **condition: str) -> bool:
        """Write if `condition` holds. After a lost response the retry fails on it, and the writer reads the object."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for buckets only

        with self._errors(name):
            try:
                self._client.put_object(
                    Bucket=self._bucket, Key=self._prefix + name, Body=body, ChecksumAlgorithm="SHA256", **condition
                )
            except ClientError as error:
                if _code(error) in _CONDITION_FAILED or ("IfMatch" in condition and _code(error) in _ABSENT):
                    return False
                raise
        return True

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        from boto3.exceptions import Boto3Error  # noqa: PLC0415 - imported for buckets only
        from botocore.exceptions import (  # noqa: PLC0415 - likewise
            BotoCoreError,
            ClientError,
            NoCredentialsError,
            PartialCredentialsError,
        )
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - likewise

        try:
            yield
        except ClientError as error:
            raise self._translated(error, name) from None
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise self._refused(error, name) from None
        except (BotoCoreError, Boto3Error, HTTPError) as error:
            raise TransientError(f"{self.where(name)}: {_line(error)}") from None

    def _translated(self, error: Any, name: str) -> TicketstreamError:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if _code(error) in _SOON or status >= _SERVER_ERROR:
            return TransientError(f"{self.where(name)}: {_line(error)}")
        return self._refused(error, name)

    def _refused(self, error: Exception, name: str) -> UnavailableError:
        return UnavailableError(
            f"{self.where(name)}: {_line(error)}; check TICKETS_ARCHIVE__PLACE, the credentials, and that they allow "
            "s3:GetObject, s3:PutObject and s3:ListBucket"
        )


def open_bucket(bucket: str, prefix: str) -> BucketArchive:
    """The archive in a bucket; nothing is requested yet.

    Raises:
        UnavailableError: boto3 lacks a region, or refuses its configuration.
    """
    import boto3  # noqa: PLC0415 - imported for buckets only
    from botocore.config import Config  # noqa: PLC0415 - likewise
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - likewise

    limits = Config(
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
    try:
        client: _Client = boto3.client("s3", config=limits)
    except BotoCoreError as error:
        raise UnavailableError(f"s3://{bucket}: {_line(error)}; check AWS_REGION and the AWS profile") from None
    return BucketArchive(client, bucket, prefix)


def _code(error: Any) -> str:
    return str(error.response["Error"]["Code"])


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
