"""The laws of an archive's storage, over a folder, a bucket of a local S3 and the fake."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from archive.store import ArchiveStore
from connectors.archive_store.open import open_archive
from core.archive_settings import ArchiveSettings
from tests.archive.fakes import MemoryArchive
from tests.rigs.s3 import start_s3

_BUCKET = "archive"


@pytest.fixture(params=["memory", "folder", "bucket", "bucket with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryArchive()
    elif request.param == "folder":
        yield open_archive(ArchiveSettings(place=str(tmp_path / "archive")))
    else:
        with start_s3(monkeypatch, _BUCKET):
            place = f"s3://{_BUCKET}" + ("/some/where" if "prefix" in request.param else "")
            yield open_archive(ArchiveSettings(place=place))


def test_an_object_is_created_once(store: ArchiveStore) -> None:
    """A second creation changes nothing and says so. A source is stored from its beginning."""
    source = BytesIO(b"\x00one" * 100_000)
    source.read(10)
    assert store.create("a/b/1", source)
    assert not store.create("a/b/1", BytesIO(b"two"))
    to = BytesIO()
    assert store.fetch("a/b/1", to)
    assert to.getvalue() == source.getvalue()


def test_a_missing_object_is_no_error(store: ArchiveStore) -> None:
    """Neither an object nor a folder needs to be there."""
    to = BytesIO()
    assert (store.read("a"), store.fetch("a/b", to), to.getvalue()) == (None, False, b"")
    assert (list(store.names("a/")), store.folders("a")) == ([], [])
    assert not store.replace("a/b", b"new", "some version")


def test_an_object_is_replaced_if_it_is_the_one_that_was_read(store: ArchiveStore) -> None:
    """Of two writers that have read the same version, one wins."""
    store.create("a/m", BytesIO(b"1"))
    found = store.read("a/m")
    assert found is not None
    assert store.replace("a/m", b"12", found.version)
    assert not store.replace("a/m", b"13", found.version)
    now = store.read("a/m")
    assert now is not None
    assert (now.data, now.version != found.version) == (b"12", True)


def test_names_are_sorted_and_complete(store: ArchiveStore) -> None:
    """A prefix is part of a name, not a folder; nothing but the objects is listed."""
    for name in ("t/g/00001/data/2", "t/g/00000/data/10", "t/g/00000/data/09", "t/log", "u/x"):
        store.create(name, BytesIO(b"."))
    assert list(store.names("t/g/00000/data/")) == ["t/g/00000/data/09", "t/g/00000/data/10"]
    assert list(store.names("t/g/0000")) == ["t/g/00000/data/09", "t/g/00000/data/10", "t/g/00001/data/2"]
    assert (store.folders("t"), store.folders("t/g")) == (["g"], ["00000", "00001"])
