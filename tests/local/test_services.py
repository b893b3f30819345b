"""The services of a local stream: started, asked and stopped."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from core.environment import load_settings
from core.errors import FatalError
from local.services import LocalServices, open_local_services
from local.stack import LocalStream, open_local_stream
from runtime.service_client import decoded, open_service_client
from runtime.ticket_client import TicketClient, ticket_of
from tests.rigs.waiting import wait_until

_ENVIRON = {
    **os.environ,
    "TICKETS_MODEL__NAME": "hashing",
    "TICKETS_AUTH__ISSUER": "https://elsewhere.example",
    "TICKETS_CLIENT__TOKEN": "of-another-issuer",
}


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStream]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("stream")
        yield open_local_stream(folder, stack, say=lambda _line: None, environ=_ENVIRON)


def test_local_services_answer_under_tokens_of_their_issuer(stream: LocalStream, tmp_path: Path) -> None:
    """A client with their variables signs in, creates a ticket and finds it; the page knows the issuer."""
    said = list[str]()
    with ExitStack() as stack:
        services = open_local_services(
            stream, tmp_path, stack, say=said.append, tenant="acme", examples=["Why?", "How?"]
        )
        services.check()
        _the_page_knows_the_issuer(services)
        settings = load_settings(services.variables).client
        tickets = TicketClient(open_service_client(settings, "tickets", stack, tenant="acme"))
        created = ticket_of(tickets.create({"subject": "The penguin has escaped"}))
        rag = open_service_client(settings, "rag", stack, tenant="acme")

        def found() -> bool:
            answer = decoded(rag.call("POST", "/api/v1/search", body={"question": "penguin"}))
            return isinstance(answer, dict) and created.ticket_id in str(answer["hits"])

        wait_until(found)
    assert said == ["starting the services"]
    for url in (services.rag_url, services.tickets_url):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def _the_page_knows_the_issuer(services: LocalServices) -> None:
    config = httpx.get(f"{services.page_url}config.json").json()
    assert config["token_url"] == services.variables["TICKETS_CLIENT__TOKEN_URL"]
    assert (config["tenant"], config["examples"]) == ("acme", ["Why?", "How?"])


def test_a_service_that_does_not_start_ends_with_its_own_line(stream: LocalStream, tmp_path: Path) -> None:
    """The error carries the service's line and exit code, and what runs is stopped."""
    (tmp_path / "feedback.db").mkdir()  # it can't be opened as a file
    with pytest.raises(FatalError, match="the RAG service has ended: TICKETS_RAG__FEEDBACK_FILE") as raised:  # noqa: SIM117
        with ExitStack() as stack:
            open_local_services(stream, tmp_path, stack, say=lambda _line: None, tenant="acme", examples=[])
    assert raised.value.exit_code == 2
