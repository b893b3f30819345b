"""Where built models are kept: a folder, and a bucket of an S3 that runs here."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

from connectors.model_store import Store, bring, open_store
from core.errors import ConfigError, UnavailableError

BUCKET = "models"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The endpoint of an S3 with one empty bucket; boto3 finds it in the environment."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {"ENDPOINT_URL": f"http://{host}:{port}", "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
    for name, value in {**settings, "DEFAULT_REGION": "eu-central-1", "MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    # Its buckets belong to the process, and outlive the server.
    urlopen(Request(f"{settings['ENDPOINT_URL']}/moto-api/reset", method="POST"), timeout=10).close()
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield settings["ENDPOINT_URL"]
    server.stop()


@pytest.fixture(params=["folder", "bucket", "bucket with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind, empty."""
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    request.getfixturevalue("s3")
    return open_store(f"s3://{BUCKET}" + ("/some/where" if "prefix" in request.param else ""))


def test_what_was_put_is_got(store: Store, tmp_path: Path) -> None:
    """And may be put again, the second over the first."""
    source, to = tmp_path / "source", tmp_path / "to"
    for content in (b"one", b"\x00two" * 100_000):
        source.write_bytes(content)
        store.put("a/b", source)
        assert store.get("a/b", to)
        assert to.read_bytes() == content


def test_what_is_not_there_is_no_error(store: Store, tmp_path: Path) -> None:
    """The model is built instead."""
    assert not store.get("a/b", tmp_path / "to")


def test_all_or_nothing_is_brought(store: Store, tmp_path: Path) -> None:
    """Half an artefact never lies in the cache."""
    (tmp_path / "source").write_bytes(b"one")
    store.put("a/graph", tmp_path / "source")
    assert not bring(store, "a", ("graph", "manifest"), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    store.put("a/manifest", tmp_path / "source")
    assert bring(store, "a", ("graph", "manifest"), tmp_path / "cache")
    assert sorted(file.name for file in (tmp_path / "cache").iterdir()) == ["graph", "manifest"]


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what to check."""
    (tmp_path / "source").write_bytes(b"one")
    with pytest.raises(UnavailableError, match=r"s3://nobodys/a: .*check the bucket's name"):
        open_store("s3://nobodys").put("a", tmp_path / "source")


def test_an_endpoint_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line, no traceback of the client's."""
    for name, value in {"ENDPOINT_URL": "http://127.0.0.1:9", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(UnavailableError, match=r"s3://models/a: .*127\.0\.0\.1"):
        open_store("s3://models").get("a", tmp_path / "to")


@pytest.mark.parametrize("place", ["https://example.com/models", "s3:///models", "ftp://x"])
def test_other_places_are_refused(place: str) -> None:
    """Before anything is fetched."""
    with pytest.raises(ConfigError, match="neither a folder nor an s3://"):
        open_store(place)


def test_a_cache_that_takes_no_files_is_named(tmp_path: Path) -> None:
    """By its setting."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="TICKETS_MODEL__CACHE_DIR"):
        bring(open_store(str(tmp_path)), "a", ("graph",), tmp_path / "file" / "cache")
