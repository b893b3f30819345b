"""Runs the issuer, the ticket API and the RAG service of a local stream, on loopback."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from core.callers import Role
from core.errors import UnavailableError
from local.issuer import LocalIssuer, open_issuer
from local.ports import free_port
from local.processes import LocalProcess, open_process
from local.stack import LocalStream

_START_S: Final = 120.0
_PROBE_S: Final = 2.0
#: Without the proxies of the environment, as all services are on loopback.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
#: Prefixes of the settings that select the local services. The user's values of these are not passed on.
_OURS: Final = (
    "TICKETS_AUTH__",
    "TICKETS_SESSIONS__",
    "TICKETS_API__",
    "TICKETS_RAG__",
    "TICKETS_WEB__",
    "TICKETS_CLIENT__",
)


class LocalServices:
    """Running services.

    Attributes:
        page_url: the page for agents.
        rag_url: base URL of the RAG service.
        tickets_url: base URL of the ticket API.
        sign_in_code: the issuer's secret, for which it gives tokens of any tenant.
        variables: environment variables of a command that is to use these services.
    """

    def __init__(
        self, issuer: LocalIssuer, processes: Collection[LocalProcess], *, rag_url: str, tickets_url: str
    ) -> None:
        self._issuer = issuer
        self._processes = processes
        self.rag_url = rag_url
        self.tickets_url = tickets_url
        self.page_url = f"{rag_url}/"
        self.sign_in_code = issuer.secret
        self.variables = {
            "TICKETS_CLIENT__RAG_URL": rag_url,
            "TICKETS_CLIENT__TICKETS_URL": tickets_url,
            "TICKETS_CLIENT__TOKEN_URL": f"{issuer.url}/token",
            "TICKETS_CLIENT__SIGN_IN_CODE": issuer.secret,
        }

    def token(self, tenant_id: str, user_id: str, roles: Collection[Role]) -> str:
        """An access token."""
        return self._issuer.token(tenant_id, user_id, roles)

    def check(self) -> None:
        """Raise a service's error if it has ended.

        Raises:
            FatalError: with the last line of its log, and its exit code.
        """
        for process in self._processes:
            process.check()


def open_local_services(
    stream: LocalStream, folder: Path, stack: ExitStack, *, say: Callable[[str], None], tenant: str, examples: list[str]
) -> LocalServices:
    """Start the services of a stream, and wait until they answer. `stack` ends them.

    Args:
        stream: whose topics and index they use.
        folder: for their files and logs.
        stack: drains the services, then stops the issuer.
        say: called with the description of each step, for display.
        tenant: the page's sign-in form suggests it.
        examples: questions that the page offers.

    Raises:
        UnavailableError: a service is not ready in time.
        FatalError: a service ended before it was ready.
    """
    say("starting the services")
    issuer = open_issuer(stack)
    ports = {"rag": free_port(), "tickets": free_port()}
    ours = {
        **issuer.variables,
        "TICKETS_API__PORT": str(ports["tickets"]),
        "TICKETS_API__PATH": str(folder / "tickets.db"),
        "TICKETS_RAG__PORT": str(ports["rag"]),
        "TICKETS_RAG__FEEDBACK_FILE": str(folder / "feedback.db"),
        "TICKETS_SESSIONS__STORE": "sqlite",
        "TICKETS_SESSIONS__PATH": str(folder / "sessions.db"),
        "TICKETS_WEB__TOKEN_URL": f"{issuer.url}/token",
        "TICKETS_WEB__TENANT": tenant,
        "TICKETS_WEB__EXAMPLES": "|".join(examples),
    }
    kept = {name: value for name, value in stream.environment.items() if not name.upper().startswith(_OURS)}
    processes = {
        name: open_process(title, (f"services.{name}",), kept | ours, folder / f"{name}.log", stack)
        for name, title in (("tickets", "the ticket API"), ("rag", "the RAG service"))
    }
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    for name, process in processes.items():
        _await_answer(process, urls[name])
    return LocalServices(issuer, processes.values(), rag_url=urls["rag"], tickets_url=urls["tickets"])


def _await_answer(process: LocalProcess, url: str) -> None:
    deadline = time.monotonic() + _START_S
    while not _answers(url):
        process.check()
        if time.monotonic() > deadline:
            raise UnavailableError(f"{process.name} is not ready after {_START_S:.0f} s; see {process.log}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(f"{url}/ready", timeout=_PROBE_S):
            return True
    except (urllib.error.URLError, OSError):
        return False
