"""A whole stream on this machine: started, checked and stopped."""

import os
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from connectors.kafka.admin import broker_answers
from connectors.qdrant.lock import find_owner
from core.environment import load_settings
from core.errors import FatalError
from local.services import LocalServices, open_local_services
from local.stack import open_local_stream
from runtime.service_client import decoded, open_service_client
from runtime.ticket_client import TicketClient, ticket_of
from tests.rigs.waiting import PATIENCE_S, wait_until

_HASHING = {
    "TICKETS_MODEL__NAME": "hashing",
    "TICKETS_KAFKA__BROKERS": "elsewhere:9092",
    "TICKETS_TOPICS__RAW": "other",
    "TICKETS_AUTH__ISSUER": "https://elsewhere.example",
    "TICKETS_CLIENT__TOKEN": "of-another-issuer",
}


def test_a_local_stream_and_its_services_run_until_their_stack_closes(tmp_path: Path) -> None:
    """The worker and the services are up on return, with the user's other settings."""
    before, said = dict(os.environ), list[str]()
    with ExitStack() as stack:
        stream = open_local_stream(tmp_path, stack, say=said.append, environ={**os.environ, **_HASHING})
        stream.check()
        assert stream.settings.topics.raw == "tickets.raw"
        assert stream.settings.model.name == "hashing"
        assert broker_answers(stream.settings.kafka.brokers, timeout_s=PATIENCE_S)
        assert find_owner(tmp_path / "index") is not None
        assert stream.environment.items() >= {**stream.variables, "TICKETS_MODEL__NAME": "hashing"}.items()
        services = open_local_services(
            stream, tmp_path, stack, say=said.append, tenant="acme", examples=["Why?", "How?"]
        )
        services.check()
        _the_page_knows_the_issuer(services)
        _a_ticket_is_created_and_found(services, stack)
    assert find_owner(tmp_path / "index") is None
    assert not broker_answers(stream.settings.kafka.brokers, timeout_s=0.5)
    for url in (services.rag_url, services.tickets_url):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
    steps = ["starting the broker", "creating the topics", "starting the worker", "starting the services"]
    assert said == steps
    assert dict(os.environ) == before


def _the_page_knows_the_issuer(services: LocalServices) -> None:
    config = httpx.get(f"{services.page_url}config.json").json()
    assert config["token_url"] == services.variables["TICKETS_CLIENT__TOKEN_URL"]
    assert (config["tenant"], config["examples"]) == ("acme", ["Why?", "How?"])


def _a_ticket_is_created_and_found(services: LocalServices, stack: ExitStack) -> None:
    """A client with the services' variables signs in at their issuer."""
    settings = load_settings(services.variables).client
    tickets = TicketClient(open_service_client(settings, "tickets", stack, tenant="acme"))
    created = ticket_of(tickets.create({"subject": "The penguin has escaped"}))
    rag = open_service_client(settings, "rag", stack, tenant="acme")

    def found() -> bool:
        answer = decoded(rag.call("POST", "/api/v1/search", body={"question": "penguin"}))
        return isinstance(answer, dict) and created.ticket_id in str(answer["hits"])

    wait_until(found)


def test_a_worker_that_does_not_start_ends_the_local_stream(tmp_path: Path) -> None:
    """The error carries the worker's own line and exit code, and the broker is stopped."""
    environ = {**os.environ, **_HASHING, "TICKETS_LOG__TRACE_FILE": str(tmp_path / "missing" / "trace.json")}
    with pytest.raises(FatalError, match="the worker has ended: TICKETS_LOG__TRACE_FILE: can't write") as raised:  # noqa: SIM117
        with ExitStack() as stack:
            open_local_stream(tmp_path, stack, say=lambda _line: None, environ=environ)
    assert raised.value.exit_code == 2
