"""The RAG service as a process, and its client."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from uuid import uuid4

import httpx

from tests.rigs.waiting import PATIENCE_S, wait_until


class ServiceProcess:
    """`python -m services.rag` with these environment variables; starts in the constructor."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._log = folder / f"rag-{uuid4().hex[:8]}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TICKETS_")}
        own = {"TICKETS_RAG__PORT": "0", "TICKETS_RAG__FEEDBACK_FILE": str(folder / "feedback.db")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.rag"],
                env={**clean, **own, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        """Wait until it listens."""
        wait_until(lambda: self._process.poll() is not None or self._port() is not None, self.output, every_s=0.1)
        assert self._process.poll() is None, self.output()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self._port()}"

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def client(self, token: str = "") -> httpx.Client:
        """A client with this access token."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S)

    def output(self) -> str:
        """Standard output and error so far."""
        return self._log.read_text(errors="replace")

    def terminate(self) -> int:
        """Send SIGTERM and return the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_S)

    def wait(self) -> int:
        """The exit code, once it has ended."""
        return self._process.wait(PATIENCE_S)

    def _port(self) -> int | None:
        for line in self.output().splitlines():
            if line.startswith("{"):
                port = json.loads(line).get("port")
                if isinstance(port, int):
                    return port
        return None
