"""Implements `core.producing.Source` for the objects of an S3 bucket.

An object doesn't grow. If it is written again, its ETag changes; if it then begins with the bytes that were sent,
reading continues behind them.
"""

import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

from core.addresses import Address
from core.errors import ConfigError, FatalError, TransientError
from core.producing import FoundFile, RawFile

_WILDCARDS: Final = "*?["
_ATTEMPTS: Final = 3
_MS: Final = 1_000
_SERVER_FAULT: Final = 500
_THROTTLED: Final = {"SlowDown", "RequestTimeout", "Throttling", "RequestTimeTooSkewed"}
#: A response, as boto3 returns it.
_Response = dict[str, Any]


class Client(Protocol):
    """The methods of boto3's S3 client that are used; each takes and returns maps."""

    def get_object(self, **request: object) -> _Response: ...
    def list_objects_v2(self, **request: object) -> _Response: ...


class BucketSource:
    """The objects whose keys begin with a prefix, and match the pattern if there is one."""

    def __init__(self, client: Client, bucket: str, pattern: str) -> None:
        self._client = client
        self._bucket = bucket
        self._pattern = pattern
        self._prefix = pattern[: min((pattern.find(sign) for sign in _WILDCARDS if sign in pattern), default=None)]

    def files(self) -> Iterator[FoundFile]:
        """See `Source`."""
        request = {"Bucket": self._bucket, "Prefix": self._prefix}
        while True:
            with _translated(f"s3://{self._bucket}/{self._prefix}"):
                page = self._client.list_objects_v2(**request)
            for item in page.get("Contents", ()):
                key = item["Key"]
                if not key.endswith("/") and (key.startswith(self._pattern) or fnmatch.fnmatchcase(key, self._pattern)):
                    name = f"s3://{self._bucket}/{key}"
                    modified_ms = int(item["LastModified"].timestamp() * _MS)
                    yield FoundFile(name, name, item["ETag"], item["Size"], modified_ms)
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def open(self, file: FoundFile) -> RawFile:
        """See `Source`."""
        key = file.name.removeprefix(f"s3://{self._bucket}/")
        return BucketFile(self._client, {"Bucket": self._bucket, "Key": key, "IfMatch": file.stamp}, file)


class BucketFile:
    """Implements `core.producing.RawFile` for one version of an object."""

    finished = True

    def __init__(self, client: Client, request: dict[str, str], file: FoundFile) -> None:
        self._client = client
        self._request = request
        self._file = file
        self._body: Any = None
        self.position = 0

    def state(self) -> tuple[str, int]:
        """See `RawFile`."""
        return self._file.stamp, self._file.size

    def read(self, size: int) -> bytes:
        """See `RawFile`. After a broken connection the next one continues at the same byte."""
        if self.position >= self._file.size:
            return b""
        for attempt in range(_ATTEMPTS):
            try:
                with _translated(self._file.name):
                    if self._body is None:
                        request = self._request | {"Range": f"bytes={self.position}-"}
                        self._body = self._client.get_object(**request)["Body"]
                    data: bytes = self._body.read(size)
            except TransientError:
                self.close()
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                break
        self.position += len(data)
        return data

    def changed(self) -> bool:
        """See `RawFile`."""
        return False

    def close(self) -> None:
        """See `RawFile`."""
        body, self._body = self._body, None
        if body is not None:
            with suppress(Exception):
                body.close()


def open_bucket(place: str, setting: str) -> BucketSource:
    """The objects at s3://bucket/prefix or s3://bucket/pattern. boto3 finds the credentials and the region.

    Raises:
        ConfigError: `place` is not such an address, or no region is configured; the message names `setting`.
    """
    import boto3  # noqa: PLC0415 - imported for buckets only
    from botocore.config import Config  # noqa: PLC0415 - likewise
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - likewise

    try:
        bucket = urlsplit(place).netloc
    except ValueError:  # its message may quote a password
        bucket = ""
    if "@" in bucket or not bucket:
        raise ConfigError(f"{setting}: {Address(place)!r} is not an s3://bucket/prefix")
    retries = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=20)
    try:
        client = boto3.client("s3", config=retries)
    except BotoCoreError as error:
        raise ConfigError(f"{setting}: {place}: {_line(error)}") from None
    return BucketSource(cast("Client", client), bucket, place.removeprefix(f"s3://{bucket}").lstrip("/"))


@contextmanager
def _translated(name: str) -> Iterator[None]:
    from botocore.exceptions import (  # noqa: PLC0415 - imported for buckets only
        BotoCoreError,
        ClientError,
        NoCredentialsError,
    )

    try:
        yield
    except NoCredentialsError:
        raise FatalError(f"{name}: there are no credentials; give boto3 a role, a profile or a key") from None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in {"PreconditionFailed", "412", "NoSuchKey", "404"}:
            raise TransientError(f"{name} was deleted or replaced by another object") from None
        if code in _THROTTLED or status >= _SERVER_FAULT:
            raise TransientError(f"{name}: {code}", retry_after_s=1.0) from None
        raise FatalError(f"{name}: {code}; check the bucket's name, the credentials and the region") from None
    except (BotoCoreError, OSError) as error:
        raise TransientError(f"{name}: {_line(error)}", retry_after_s=1.0) from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
