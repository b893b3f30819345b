"""Servers whose credentials are rotated."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from connectors.credentials.servers import node_accepts
from core.errors import TransientError


class _Node(BaseHTTPRequestHandler):
    """Answers with the status of its server, and sends a redirect to a path that would accept any key."""

    def do_GET(self) -> None:
        seen.append((self.path, self.headers["api-key"]))
        self.send_response(200 if self.path == "/elsewhere" else int(self.headers["api-key"]))
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


seen: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Node) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_node_tells_whether_it_accepts_a_key(node: str) -> None:
    """The key of the test is the status of the answer."""
    assert node_accepts(node, "200")
    assert not node_accepts(f"{node}/", "403")
    with pytest.raises(TransientError, match="answers 500"):
        node_accepts(node, "500")


@pytest.mark.parametrize("status", ["301", "302", "307", "308"])
def test_a_key_is_sent_to_no_other_server(node: str, status: str) -> None:
    """A redirect is not followed, because the key would go with it."""
    seen.clear()
    with pytest.raises(TransientError, match=f"answers {status}"):
        node_accepts(node, status)
    assert seen == [("/collections", status)]
