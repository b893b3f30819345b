"""Storage for built models that several machines share: a folder, or an S3 bucket."""

import gzip
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from core.addresses import Address
from core.disk import full_disk_error
from core.errors import ConfigError, UnavailableError
from core.setting_types import expand_home

_SCHEME: Final = "s3"
#: Raised by an archive that is damaged, or lacks a file.
_BAD_ARCHIVE: Final = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, KeyError)


class Store(Protocol):
    """Stores files under names that may contain slashes."""

    def get(self, name: str, to: Path) -> bool:
        """Copy a file to `to`; False if it doesn't exist.

        Raises:
            UnavailableError: the store can't be read.
        """
        ...

    def put(self, name: str, source: Path) -> None:
        """Store a copy of `source` under `name`, replacing an older one.

        Raises:
            UnavailableError: the store can't be written.
        """
        ...


def open_store(place: str) -> Store:
    """The store at a folder's path or an `s3://bucket/prefix`; nothing is fetched yet.

    Raises:
        ConfigError: `place` is neither.
    """
    try:
        parts = urlsplit(place)
    except ValueError:  # its message may quote a password
        raise ConfigError(f"{Address(place)!r} is neither a folder nor an s3://bucket/prefix") from None
    if not parts.scheme:
        return FolderStore(expand_home(place))
    if parts.scheme != _SCHEME or not parts.netloc:
        raise ConfigError(f"{Address(place)!r} is neither a folder nor an s3://bucket/prefix")
    if "@" in parts.netloc:
        raise ConfigError(
            f"{Address(place)!r} contains credentials; give them to boto3 in the environment or a profile"
        )
    return BucketStore(parts.netloc, parts.path.strip("/"))


def fetch_files(store: Store, prefix: str, names: Sequence[str], folder: Path) -> bool:
    """Copy all of `names` under `prefix` into `folder`, in order; if one is missing, copy nothing and return False.

    Raises:
        UnavailableError: the store can't be read, or the disk is full.
        ConfigError: the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as draft:
            if not all(store.get(f"{prefix}/{name}", Path(draft) / name) for name in names):
                return False
            for name in names:
                (Path(draft) / name).replace(folder / name)
    except OSError as error:
        raise full_disk_error(error, folder) or ConfigError(
            f"TICKETS_MODEL__CACHE_DIR: can't write {folder} ({error.strerror})"
        ) from None
    return True


def fetch_archive(store: Store, name: str, names: Sequence[str], folder: Path) -> bool:
    """Copy all of `names` from a .tar.gz into `folder`, in order, and nothing else; False if there is no archive.

    Raises:
        UnavailableError: the store can't be read, or the disk is full.
        ConfigError: it is not an archive, or lacks a file, or the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as made:
            draft = Path(made)
            if not store.get(name, draft / "archive"):
                return False
            _unpack(draft / "archive", names, draft)
            for each in names:
                (draft / each).replace(folder / each)
    except _BAD_ARCHIVE as error:
        raise ConfigError(f"{name} is not a .tar.gz with {' and '.join(names)} ({_line(error)})") from None
    except OSError as error:
        raise full_disk_error(error, folder) or ConfigError(f"can't write {folder} ({error.strerror})") from None
    return True


def _unpack(archive: Path, names: Sequence[str], folder: Path) -> None:
    """Write the regular files of these names, as SageMaker packs them: at the top of the archive."""
    with tarfile.open(archive, mode="r:gz") as packed:
        members = {member.name.removeprefix("./"): member for member in packed if member.isfile()}
        for name in names:
            source = packed.extractfile(members[name])
            assert source is not None  # noqa: S101 - it is a regular file
            with source, (folder / name).open("wb") as copy:
                shutil.copyfileobj(source, copy)


def _line(error: Exception) -> str:
    return f"no {error.args[0]}" if isinstance(error, KeyError) else " ".join(str(error).split())


class FolderStore:
    """Implements `Store` in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, name: str, to: Path) -> bool:
        """See `Store`."""
        source = self._root / name
        if not source.is_file():
            return False
        try:
            shutil.copyfile(source, to)
        except OSError as error:
            raise UnavailableError(f"can't copy {source}: {error.strerror}") from None
        return True

    def put(self, name: str, source: Path) -> None:
        """See `Store`."""
        to = self._root / name
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            draft = to.with_name(f"{to.name}.draft")
            shutil.copyfile(source, draft)
            draft.replace(to)
        except OSError as error:
            raise UnavailableError(f"can't write {to}: {error.strerror}") from None


class _Client(Protocol):
    """The methods of boto3's client that are used; boto3 has no types."""

    def download_file(self, bucket: str, key: str, to: str) -> None: ...

    def upload_file(self, source: str, bucket: str, key: str) -> None: ...


class BucketStore:
    """Implements `Store` in S3. boto3 takes credentials, region and endpoint from the environment."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix

    def get(self, name: str, to: Path) -> bool:
        """See `Store`."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - imported for buckets only

        with self._errors(name):
            try:
                self._client().download_file(self._bucket, self._key(name), str(to))
            except ClientError as error:
                if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                    return False
                raise
        return True

    def put(self, name: str, source: Path) -> None:
        """See `Store`."""
        with self._errors(name):
            self._client().upload_file(str(source), self._bucket, self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _client(self) -> _Client:
        import boto3  # noqa: PLC0415 - imported for buckets only

        client: _Client = boto3.client("s3")
        return client

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        from boto3.exceptions import Boto3Error  # noqa: PLC0415 - imported for buckets only
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - likewise

        try:
            yield
        except (BotoCoreError, ClientError, Boto3Error) as error:
            where = f"s3://{self._bucket}/{self._key(name)}"
            why = " ".join(str(error).split())
            raise UnavailableError(f"{where}: {why}; check the bucket's name, the credentials and the region") from None
