"""Runs an HTTP service in its own process, and issues its callers' tokens."""

import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

import httpx

from local.issuer import LocalIssuer, open_issuer
from local.processes import LocalProcess, open_process

_START_S: Final = 60.0
_GLANCE_S: Final = 0.1
_USERS: Final = 50


class Service(Protocol):
    """A service and the headers of its callers."""

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        ...

    def headers(self, tenant_id: str, number: int) -> dict[str, str]:
        """The headers of one of many agents of a tenant."""
        ...


class LocalService:
    """Implements `Service` with a local issuer."""

    def __init__(self, url: str, issuer: LocalIssuer) -> None:
        self.url = url
        self._issuer = issuer
        self._tokens: dict[tuple[str, int], str] = {}

    def headers(self, tenant_id: str, number: int) -> dict[str, str]:
        """See `Service`."""
        key = (tenant_id, number % _USERS)
        if key not in self._tokens:
            self._tokens[key] = self._issuer.token(tenant_id, f"agent-{key[1]}", ["agent"])
        return {"Authorization": f"Bearer {self._tokens[key]}"}


def open_service(module: str, variables: Mapping[str, str], stack: ExitStack) -> LocalService:
    """Start `python -m MODULE` on a free port, and return when it is ready.

    Raises:
        FatalError: it has ended.
    """
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    issuer = open_issuer(stack)
    environment = {
        **os.environ,
        **issuer.variables,
        "TICKETS_RAG__PORT": "0",
        "TICKETS_RAG__FEEDBACK_FILE": str(folder / "feedback.db"),
        "TICKETS_API__PORT": "0",
        "TICKETS_LOG__LEVEL": "info",  # a line has the port
        **{f"TICKETS_LIMITS__{whose}_REQUESTS": "1000000" for whose in ("USER", "TENANT", "ADDRESS")},
        **variables,
    }
    process = open_process(f"the service {module}", [module], environment, folder / "log", stack)
    url = f"http://127.0.0.1:{_port(process)}"
    deadline = time.monotonic() + _START_S
    while httpx.get(f"{url}/ready").status_code != httpx.codes.OK:
        process.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"{module} does not find what it needs")
        time.sleep(_GLANCE_S)
    return LocalService(url, issuer)


def _port(process: LocalProcess) -> int:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        process.check()
        for line in process.log.read_text().splitlines():
            port = json.loads(line).get("port") if line.startswith("{") else None
            if isinstance(port, int):
                return port
        time.sleep(_GLANCE_S)
    raise RuntimeError(f"{process.name} does not listen")
