"""The connection to a Qdrant server."""

from pathlib import Path

import pytest

from core.settings import IndexSettings
from tests.contracts.index_laws import held, opened, ticket
from tests.rigs.qdrant_facade import QdrantFacade


@pytest.mark.parametrize("variable", ["grpc_proxy", "http_proxy"])
def test_no_proxy_of_the_environment_gets_the_tickets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A server on this machine is asked directly."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with QdrantFacade(tmp_path / "server") as served:
        index = opened(IndexSettings(url=served.url.replace("localhost", "127.0.0.1"), timeout_s=1))
        try:
            index.write([ticket("1", 1, 1)])
            assert held(index) == {("acme", "1"): (1, False)}
        finally:
            index.close()
