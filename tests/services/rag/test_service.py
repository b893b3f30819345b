"""The RAG service as a process, beside a real worker with an embedded index, a real broker and the local issuer."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.kafka.reader import read_topic
from core.contract import record_key
from core.environment import load_settings
from core.errors import EXIT_USAGE, ConfigError
from core.feedback import Feedback
from local.issuer import LocalIssuer, open_issuer
from services.rag.__main__ import SERVICE
from synthetic.tickets import SyntheticRecord
from tests.e2e.world import WorkerProcess, World
from tests.rigs.waiting import wait_until
from tests.services.rag.process import ServiceProcess
from tests.services.rag.world import FIX, QUESTION, TICKETS


@pytest.fixture
def world(tansu: str, tmp_path: Path) -> World:
    """A stream of a few tickets, and the topic of feedback."""
    world = World(tansu, tmp_path)
    feedback = world.settings.topics.raw.replace("raw", "feedback")
    topics = world.settings.topics.model_copy(update={"feedback": feedback})
    world.settings = world.settings.model_copy(update={"topics": topics})
    world.cluster.create_topic(feedback, partitions=1, replication=1, config={})
    return world


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    """Issues tokens on loopback."""
    with ExitStack() as stack:
        yield open_issuer(stack)


def _records() -> list[SyntheticRecord]:
    values = [(record_key(one.tenant_id, one.ticket_id), msgspec.json.encode(one)) for one in TICKETS]
    return [SyntheticRecord(key, value, "create") for key, value in values]


def _environment(world: World, issuer: LocalIssuer) -> dict[str, str]:
    return {**world.environment(TICKETS_TOPICS__FEEDBACK=world.settings.topics.feedback), **issuer.variables}


def _ask(client: httpx.Client) -> dict[str, Any]:
    answer = client.post("/api/v1/answers", json={"question": QUESTION})
    return {"status": answer.status_code, **answer.json()}


def test_an_agent_asks_beside_a_running_worker(world: World, issuer: LocalIssuer) -> None:
    """The service waits for the worker, answers, sends feedback to its topic, and outlives the worker's restart."""
    with ServiceProcess(world.folder, _environment(world, issuer)) as service:
        client = service.client(issuer.token("acme", "ada", ["agent"]))
        early = client.get("/ready")
        assert (early.status_code, "no worker has the index" in early.text) == (503, True)
        assert client.get("/health").status_code == 200
        refused = _ask(client)
        assert (refused["status"], refused["title"]) == (503, "The service is unavailable")

        world.produce(_records())
        with WorkerProcess(world) as worker:
            wait_until(lambda: client.get("/ready").status_code == 200, service.output, every_s=0.1)
            world.wait_committed([worker])
            answer = _ask(client)
            assert FIX in " ".join(one["text"] for one in answer["sentences"]), answer
            assert "GLX-7730" not in str(answer)
            vote = client.post(f"/api/v1/answers/{answer['answer_id']}/feedback", json={"verdict": "sent"})
            assert vote.status_code == 204
            worker.kill()
        assert _ask(client)["status"] == 503
        with WorkerProcess(world) as worker:
            wait_until(lambda: _ask(client)["status"] == 200, service.output, every_s=0.1)
        wait_until(lambda: len(_feedback(world)) == 1, service.output, every_s=0.2)
        kept = _feedback(world)[0]
        assert (kept.verdict, kept.answer.tickets, kept.answer.tenant_id) == ("sent", ("T-1",), "acme")
        assert service.terminate() == 0, service.output()
        assert "Traceback" not in service.output()
        assert FIX not in service.output(), "no ticket's text in the log"


def _feedback(world: World) -> list[Feedback]:
    records = read_topic(world.settings.kafka, world.settings.topics.feedback, partitions=1)
    return [msgspec.json.decode(record.value or b"", type=Feedback) for record in records]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "TICKETS_AUTH__ISSUER"),
        ({"TICKETS_RAG__PORT": "70000"}, "TICKETS_RAG__PORT"),
        ({"TICKETS_RAG__NAME": "x"}, "TICKETS_RAG__NAME is not a setting"),
        ({"TICKETS_RAG__FEEDBACK_FILE": "/proc/none/feedback.db"}, "TICKETS_RAG__FEEDBACK_FILE"),
        ({"TICKETS_LANGUAGE_MODEL__CHAIN": "openai:llama"}, "TICKETS_LANGUAGE_MODEL__OPENAI_URL"),
    ],
)
def test_a_mistake_in_the_settings_is_named(variables: dict[str, str], words: str, tmp_path: Path) -> None:
    """The error names the variable, before any dependency is opened."""
    trusted = {"TICKETS_AUTH__ISSUER": "http://127.0.0.1:1", "TICKETS_AUTH__CLIENT_IDS": "local"} if variables else {}
    environ = {"TICKETS_RAG__FEEDBACK_FILE": str(tmp_path / "f.db"), **trusted, **variables}
    with pytest.raises(ConfigError, match=words):
        SERVICE.serve(load_settings(environ), threading.Event(), opened=lambda _port: pytest.fail("it serves"))


def test_a_mistake_is_one_line_with_exit_code_2(tmp_path: Path) -> None:
    """The process ends with one line on standard error."""
    process = ServiceProcess(tmp_path, {"TICKETS_RAG__PORT": "many"})
    assert process.wait() == EXIT_USAGE
    assert process.output().startswith("ticketstream: TICKETS_RAG__PORT: ")
    assert process.output().count("\n") == 1
