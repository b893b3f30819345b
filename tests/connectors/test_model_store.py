"""Stores of built models: a folder, and a bucket of a local S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.model_store import Store, fetch_files, open_store
from core.errors import ConfigError, UnavailableError
from tests.rigs.s3 import start_s3

BUCKET = "models"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The endpoint of an S3 with one empty bucket; the environment names it to boto3."""
    with start_s3(monkeypatch, BUCKET) as endpoint:
        yield endpoint


@pytest.fixture(params=["folder", "bucket", "bucket with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    request.getfixturevalue("s3")
    return open_store(f"s3://{BUCKET}" + ("/some/where" if "prefix" in request.param else ""))


def test_a_stored_file_can_be_fetched(store: Store, tmp_path: Path) -> None:
    """A file is fetched as it was stored last."""
    source, to = tmp_path / "source", tmp_path / "to"
    for content in (b"one", b"\x00two" * 100_000):
        source.write_bytes(content)
        store.put("a/b", source)
        assert store.get("a/b", to)
        assert to.read_bytes() == content


def test_a_missing_file_is_not_an_error(store: Store, tmp_path: Path) -> None:
    """`get` returns False, and the caller builds the model instead."""
    assert not store.get("a/b", tmp_path / "to")


def test_files_are_fetched_all_or_none(store: Store, tmp_path: Path) -> None:
    """If a file of an artefact is missing, none of it is copied into the cache."""
    (tmp_path / "source").write_bytes(b"one")
    store.put("a/graph", tmp_path / "source")
    assert not fetch_files(store, "a", ("graph", "manifest"), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    store.put("a/manifest", tmp_path / "source")
    assert fetch_files(store, "a", ("graph", "manifest"), tmp_path / "cache")
    assert sorted(file.name for file in (tmp_path / "cache").iterdir()) == ["graph", "manifest"]


@pytest.mark.usefixtures("s3")
def test_a_missing_bucket_is_named(tmp_path: Path) -> None:
    """The error names the object and says what to check."""
    (tmp_path / "source").write_bytes(b"one")
    with pytest.raises(UnavailableError, match=r"s3://nobodys/a: .*check the bucket's name"):
        open_store("s3://nobodys").put("a", tmp_path / "source")


def test_an_endpoint_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An unreachable endpoint is an error in one line."""
    for name, value in {"ENDPOINT_URL": "http://127.0.0.1:9", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(UnavailableError, match=r"s3://models/a: .*127\.0\.0\.1"):
        open_store("s3://models").get("a", tmp_path / "to")


def test_credentials_in_a_place_are_refused_and_not_shown() -> None:
    """A bucket's URL that holds a key is refused; the error says where the key belongs, and hides it."""
    with pytest.raises(ConfigError, match=r"'s3://<hidden>@models/x' contains credentials; give them to boto3"):
        open_store("s3://key:s3cret@models/x")


@pytest.mark.parametrize("place", ["https://example.com/models", "s3:///models", "ftp://x", "s3://[x"])
def test_other_urls_are_refused(place: str) -> None:
    """A place that is neither a folder nor a bucket is refused when the store is opened."""
    with pytest.raises(ConfigError, match="neither a folder nor an s3://"):
        open_store(place)


def test_an_unknown_home_folder_is_refused() -> None:
    """It was a traceback."""
    with pytest.raises(ConfigError, match="no such home folder"):
        open_store("~nobody-here/models")


def test_an_unwritable_cache_is_named(tmp_path: Path) -> None:
    """The error names the cache's setting."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="TICKETS_MODEL__CACHE_DIR"):
        fetch_files(open_store(str(tmp_path)), "a", ("graph",), tmp_path / "file" / "cache")
