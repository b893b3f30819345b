"""A Qdrant server's gRPC API over the embedded engine, so that the server adapter is tested over a socket."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

import grpc
from qdrant_client import grpc as q

from tests.rigs.proxy import Proxy
from tests.rigs.qdrant_facade.faults import Counts, Fault, Faults
from tests.rigs.qdrant_facade.gate import Gate
from tests.rigs.qdrant_facade.service import QdrantServices

#: Calls handled at once. Each hanging call occupies a thread and must not delay the others.
_THREADS: Final = 64


class QdrantFacade(QdrantServices):
    """Serves the calls of the server adapter, and only those, from construction to `close`.

    A proxy in front of it closes the port and breaks connections.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        api_key: str | None = None,
        tls: tuple[Path, Path] | None = None,
        version: str = "1.19.0",
    ) -> None:
        super().__init__(folder, version=version)
        self._faults = Faults()
        self.wrote = self._faults.wrote
        self._gate = Gate(self._faults, api_key=api_key, reset=self._reset)
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._server = grpc.server(ThreadPoolExecutor(_THREADS), interceptors=[self._gate], options=options)
        q.add_CollectionsServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        q.add_PointsServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        q.add_SnapshotsServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        q.add_QdrantServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        if tls is None:
            inner = self._server.add_insecure_port("127.0.0.1:0")
        else:
            certificate, key = (file.read_bytes() for file in tls)
            inner = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
        self._scheme = "http" if tls is None else "https"
        self._server.start()
        self._front = Proxy(f"127.0.0.1:{inner}", port=port)
        self.port = self._front.port

    @property
    def url(self) -> str:
        """Value for TICKETS_INDEX__URL."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def inject(self, *faults: Fault) -> None:
        """Add `faults`. A call is hit by the first that applies."""
        self._faults.inject(*(fault for fault in faults if fault.what != "down"))
        if any(fault.what == "down" for fault in faults):
            self._faults.happened("down")
            self._front.refuse()

    def heal(self) -> None:
        """Remove all faults."""
        self._faults.heal()
        self._front.heal()

    def counts(self) -> Counts:
        """Counts since it started."""
        return self._faults.counts()

    def close(self) -> None:
        """Stop serving and close the collections."""
        self._faults.heal()
        self._front.close()
        self._server.stop(0).wait()
        self._gate.close()
        self.close_collections()

    def _reset(self) -> None:
        self._front.reset()
