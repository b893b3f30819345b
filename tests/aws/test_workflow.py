"""The life of a ticket on AWS with the real functions: from its insertion to a draft, through failure and replay."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from cli.main import app as command_line
from connectors.dynamodb_tables import Tables
from connectors.ticket_store.dynamodb import DynamoTickets
from connectors.ticket_store.tables import HINT, TICKETS, definitions
from core.contract import UpsertEvent
from core.workflow import TicketRef, execution_name
from tests.aws.states import STEPS, Machine, create_functions, create_machine, create_queue, queue_arn
from tests.connectors.ticket_store.stores import NOW_MS, upsert
from tests.deploy.terraform.conftest import require
from tests.deploy.terraform.emulators import MINISTACK, Emulator, start_ministack
from tests.deploy.terraform.workspace import ACCOUNT, REGION
from tests.rigs.asgi import serving
from tests.rigs.waiting import wait_until

pytestmark = pytest.mark.thorough

PREFIX: Final = "flow-"
SECRET: Final = "workflow-client"
SUBJECT: Final = "The sync stops at ninety percent"
FIX: Final = "Clear the queue of the agent."


class Rag:
    """The RAG service and the issuer of tokens, which answer by the words of a ticket's id."""

    def __init__(self) -> None:
        self.broken = False
        self.unindexed = 1

    def app(self) -> Starlette:
        """The app that serves it."""
        return Starlette(
            routes=[
                Route("/oauth2/token", self._token, methods=["POST"]),
                Route("/api/v1/tickets/{ticket}/similar", self._similar),
                Route("/api/v1/answers", self._answer, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = dict(part.split("=", 1) for part in (await request.body()).decode().split("&"))
        assert form["grant_type"] == "client_credentials"
        assert base64.b64decode(request.headers["authorization"].split()[1]) == b"id:secret"
        claims = base64.urlsafe_b64encode(json.dumps({"custom:tenant_id": "acme"}).encode()).decode().rstrip("=")
        return JSONResponse({"access_token": f"e30.{claims}.x", "expires_in": 3600})

    async def _similar(self, request: Request) -> Response:
        if self.unindexed:
            self.unindexed -= 1
            return JSONResponse({"title": "Not found"}, 404)
        ticket = request.path_params["ticket"]
        labels = {"category": "spam" if "spam" in ticket else "sync", "priority": "high"}
        hits = [{"ticket_id": f"S-{number}", "similarity": 0.9, "payload": labels} for number in range(4)]
        return JSONResponse({"hits": hits, "nothing": "unknown" in ticket and "solved" in request.query_params})

    async def _answer(self, request: Request) -> Response:
        ticket = (await request.json())["ticket_id"]
        if self.broken:
            return JSONResponse({"title": "The service failed"}, 500)
        given = [{"text": FIX, "citations": [{"source": 1}]}]
        refused = "refused" in ticket
        return JSONResponse(
            {
                "answer_id": "a" * 32,
                "outcome": "refused" if refused else "answered",
                "sentences": [] if refused else given,
                "sources": [{"ticket_id": "S-0"}],
            }
        )


class Flow(Struct, frozen=True):
    """The workflow, its tickets, and what it asks and tells."""

    machine: Machine
    tickets: DynamoTickets
    rag: Rag
    told: str

    def write(self, ticket_id: str, **fields: object) -> str:
        """Store a new ticket. Returns the ARN of its execution."""
        given: dict[str, Any] = {"subject": SUBJECT, "customer_id": f"C-{ticket_id}", **fields}
        self.tickets.apply(upsert(ticket_id, **given))
        name = execution_name(TicketRef("acme", ticket_id))
        return f"{self.machine.arn.replace(':stateMachine:', ':execution:')}:{name}"

    def ended(self, execution: str) -> str:
        """The status of an execution that the stream starts, once it has ended."""
        states = self.machine.emulator.client("stepfunctions")
        wait_until(lambda: _exists(states, execution), lambda: f"{execution} was never started")
        return str(self.machine.ended(execution)["status"])

    def ticket(self, ticket_id: str) -> UpsertEvent:
        """The ticket as it is stored."""
        found = self.tickets.get("acme", ticket_id)
        assert isinstance(found, UpsertEvent)
        return found


def _exists(states: Any, execution: str) -> bool:
    try:
        states.describe_execution(executionArn=execution)
    except states.exceptions.ExecutionDoesNotExist:
        return False
    return True


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """The real functions behind the state machine, woken by the stream of the table."""
    require(MINISTACK)
    rag = Rag()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFN_WAIT_SCALE", "0")
        patch.setenv("IOT_MTLS_ENABLED", "0")
        with serving(rag.app()) as url, start_ministack(tmp_path_factory.mktemp("emulator")) as emulator:
            yield _created(emulator, rag, url)


def _created(emulator: Emulator, rag: Rag, url: str) -> Flow:
    client = emulator.client("dynamodb")
    for definition in definitions(PREFIX):
        more: dict[str, Any] = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
        client.create_table(**definition, **(more if definition["TableName"] == PREFIX + TICKETS else {}))
    emulator.client("secretsmanager").create_secret(
        Name=SECRET, SecretString=json.dumps({"client_id": "id", "client_secret": "secret"})
    )
    environ = {
        "TICKETS_API__TABLE_PREFIX": PREFIX,
        "TICKETS_API__AWS_REGION": REGION,
        "TICKETS_CLIENT__RAG_URL": url,
        "TICKETS_CLIENT__TOKEN_URL": f"{url}/oauth2/token",
        "TICKETS_CLIENT__TIMEOUT_S": "20",
        "TICKETS_WORKFLOW__CLIENT_SECRET_ID": SECRET,
        "TICKETS_WORKFLOW__AWS_REGION": REGION,
        "TICKETS_WORKFLOW__STATE_MACHINE_ARN": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:tickets",
    }
    handlers = {name: f"lambdas.workflow.functions.{name}" for name in ("start", *STEPS)}
    functions = create_functions(emulator, "workflow-", handlers, dict.fromkeys(handlers, environ))
    machine = create_machine(emulator, "tickets", functions)
    told = create_queue(emulator, "told")
    emulator.client("sns").subscribe(TopicArn=machine.topic, Protocol="sqs", Endpoint=queue_arn(emulator, told))
    stream = client.describe_table(TableName=PREFIX + TICKETS)["Table"]["LatestStreamArn"]
    emulator.client("lambda").create_event_source_mapping(
        EventSourceArn=stream, FunctionName=functions["start"], StartingPosition="TRIM_HORIZON", BatchSize=10
    )
    return Flow(machine, DynamoTickets(Tables(client, PREFIX, HINT)), rag, told)


@pytest.mark.parametrize(
    ("ticket_id", "decision", "reason", "status"),
    [
        ("T-draft", "draft", "answered", "open"),
        ("T-refused", "escalate", "refused", "open"),
        ("T-unknown", "escalate", "nothing_found", "open"),
        ("T-spam", "file", "spam", "filed"),
    ],
)
def test_a_new_ticket_is_decided(flow: Flow, ticket_id: str, decision: str, reason: str, status: str) -> None:
    """A ticket that is inserted gets a draft, or is escalated or filed, and the labels that it lacked."""
    execution = flow.write(ticket_id)
    assert flow.ended(execution) == "SUCCEEDED", flow.machine.states(execution)
    ticket = flow.ticket(ticket_id)
    assert (ticket.attributes["workflow_decision"], ticket.attributes["workflow_reason"]) == (decision, reason)
    assert (ticket.status, ticket.priority) == (status, "high")
    assert [note.body for note in ticket.messages] == (
        [f"Suggested answer, not sent:\n{FIX} [S-0]"] if decision == "draft" else []
    )


def test_the_repetition_of_a_ticket_is_filed(flow: Flow) -> None:
    """A ticket with the same customer's same words is filed while the first one is open."""
    first = flow.write("T-unknown-1", customer_id="C-7")
    assert flow.ended(first) == "SUCCEEDED"
    second = flow.write("T-unknown-2", customer_id="C-7", created_ms=NOW_MS + 60_000)
    assert flow.ended(second) == "SUCCEEDED"
    copy = flow.ticket("T-unknown-2")
    assert (copy.status, copy.attributes["workflow_duplicate_of"]) == ("filed", "T-unknown-1")


def test_decisions_are_told_and_nothing_quotes_a_ticket(flow: Flow) -> None:
    """The topic's messages have ids, decision and reason; neither they nor the history have a word of the ticket."""
    execution = flow.write("T-told")
    assert flow.ended(execution) == "SUCCEEDED"
    found: dict[str, Mapping[str, Any]] = {}

    def arrived() -> bool:
        sqs = flow.machine.emulator.client("sqs")
        for message in sqs.receive_message(QueueUrl=flow.told, MaxNumberOfMessages=10).get("Messages", []):
            said = json.loads(json.loads(message["Body"])["Message"])
            found[said["ticket_id"]] = said
        return "T-told" in found

    wait_until(arrived, lambda: str(found))
    assert found["T-told"] == {
        "tenant_id": "acme",
        "ticket_id": "T-told",
        "decision": "draft",
        "reason": "answered",
    }
    told = json.dumps([flow.machine.history(execution), list(found.values())], default=str)
    assert not [words for words in (SUBJECT, FIX) if words in told]


def test_a_failure_is_escalated_listed_and_replayed(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket whose answer fails goes to a person; the replay, once the fault is gone, gives it its draft."""
    for name, value in {
        "AWS_ENDPOINT_URL": flow.machine.emulator.url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "of-nobody",
        "TICKETS_WORKFLOW__QUEUE_URL": flow.machine.failures,
        "TICKETS_WORKFLOW__STATE_MACHINE_ARN": flow.machine.arn,
        "TICKETS_WORKFLOW__AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    flow.rag.broken = True
    execution = flow.write("T-broken")
    assert flow.ended(execution) == "FAILED"
    assert flow.ticket("T-broken").attributes["workflow_reason"] == "failed"
    rows: list[dict[str, str]] = []

    def listed() -> bool:
        rows[:] = json.loads(_command("list", "--ticket", "acme/T-broken", "--json"))
        return len(rows) == 1

    wait_until(listed, lambda: str(rows))
    assert (rows[0]["error"], rows[0]["cause"]) == ("FatalError", "The step Answer failed.")
    flow.rag.broken = False
    _command("replay", "--yes")
    assert flow.ended(f"{execution}-2") == "SUCCEEDED"
    ticket = flow.ticket("T-broken")
    assert (ticket.attributes["workflow_decision"], len(ticket.messages)) == ("draft", 1)
    assert json.loads(_command("list", "--json")) == []


def _command(*arguments: str) -> str:
    result = CliRunner().invoke(command_line, ["workflow", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout
