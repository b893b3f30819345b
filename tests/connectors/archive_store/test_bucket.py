"""The archive in S3: what a fault of S3 means, in one line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest

from connectors.archive_store.bucket import BucketArchive
from connectors.archive_store.open import open_archive
from core.archive_settings import ArchiveSettings
from core.errors import TicketstreamError, TransientError, UnavailableError
from tests.rigs.s3 import name_endpoint, start_s3

_ERROR = "<Error><Code>{}</Code><Message>no</Message></Error>"


@contextmanager
def _answering(status: int, body: bytes, *, length: int | None = None) -> Iterator[str]:
    """A server that answers every request like this; with `length` it promises more than it sends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.send_header("ETag", '"1"')
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = _answer  # noqa: N815 - the base class calls them

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bucket(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> BucketArchive:
    monkeypatch.setattr("connectors.archive_store.bucket._ATTEMPTS", 1)
    name_endpoint(monkeypatch, endpoint)
    store = open_archive(ArchiveSettings(place="s3://bucket/archive"))
    assert isinstance(store, BucketArchive)
    return store


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "SlowDown", TransientError),
        (500, "InternalError", TransientError),
        (409, "ConditionalRequestConflict", TransientError),
        (400, "RequestTimeout", TransientError),
        (403, "AccessDenied", UnavailableError),
        (404, "NoSuchBucket", UnavailableError),
        (400, "ExpiredToken", UnavailableError),
    ],
)
def test_a_refusal_is_no_outage(
    status: int, code: str, kind: type[TicketstreamError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage is retried; a refusal ends the archiver with what to check. Each names the object in one line."""
    with _answering(status, _ERROR.format(code).encode()) as endpoint:
        store = _bucket(monkeypatch, endpoint)
        with pytest.raises(kind, match="s3://bucket/archive/a/1: ") as caught:
            store.create("a/1", BytesIO(b"1"))
        assert (type(caught.value), "\n" in str(caught.value)) == (kind, False)
        with pytest.raises(kind):
            store.fetch("a/1", BytesIO())
        with pytest.raises(kind):
            list(store.names("a/"))


def test_a_failed_condition_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """412 says that another writer was first."""
    with _answering(412, _ERROR.format("PreconditionFailed").encode()) as endpoint:
        store = _bucket(monkeypatch, endpoint)
        assert not store.create("a/1", BytesIO(b"1"))
        assert not store.replace("a/1", b"1", '"2"')


def test_a_body_that_is_cut_off_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object is never taken for complete because its connection ended."""
    with _answering(200, b"half", length=100) as endpoint, pytest.raises(TransientError):
        _bucket(monkeypatch, endpoint).fetch("a/1", BytesIO())


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that is away is an outage."""
    with pytest.raises(TransientError, match="s3://bucket/archive/a/1"):
        _bucket(monkeypatch, "http://127.0.0.1:9").create("a/1", BytesIO(b"1"))


def test_a_lost_answer_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A creation that is repeated since its answer was lost says that the object is there, and it is the one."""
    with start_s3(monkeypatch, "bucket") as endpoint:
        store = _bucket(monkeypatch, endpoint)
        assert store.create("a/1", BytesIO(b"1"))
        assert not store.create("a/1", BytesIO(b"1"))
        found = store.read("a/1")
        assert found is not None
        assert found.data == b"1"
