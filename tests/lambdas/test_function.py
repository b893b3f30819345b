"""A function opens at its first event, logs each event, and raises errors that quote nothing."""

import json
from contextlib import ExitStack

import pytest

from core.errors import FatalError, TransientError
from core.settings import Settings
from lambdas.function import Call, Event, Function, InternalError, logger, trace_of
from runtime.telemetry import Telemetry
from tests.lambdas.events import FakeContext

HEADER = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"


class Echo:
    """A handler that counts how often it was opened, and raises what an event asks for."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self.lines: list[str] = []
        self.function = Function("echo", self.open, write=self.lines.append)

    def open(self, _settings: Settings, stack: ExitStack, telemetry: Telemetry) -> "Echo":
        self.opened += 1
        stack.callback(self.close)
        self.telemetry = telemetry
        return self

    def close(self) -> None:
        self.closed += 1

    def __call__(self, event: Event, call: Call) -> Event:
        self.telemetry.count("tickets_outbox_sent_total")
        logger.info("handling")
        match event.get("raise"):
            case "transient":
                raise TransientError("no broker")
            case "fatal":
                raise FatalError("no topic")
            case "bug":
                raise KeyError("the text of a ticket")
        return {"trace": call.trace_id}


def test_a_function_opens_at_its_first_event_and_once() -> None:
    """Importing a handler's module opens nothing; later events use what the first has opened."""
    echo = Echo()
    assert echo.opened == 0
    echo.function({}, FakeContext())
    echo.function({}, FakeContext())
    assert (echo.opened, echo.closed) == (1, 0)


def test_clients_are_kept_after_an_outage_and_replaced_after_a_fatal_error() -> None:
    """A fatal error closes the clients, and the next event opens new ones."""
    echo = Echo()
    with pytest.raises(TransientError, match="no broker"):
        echo.function({"raise": "transient"}, FakeContext())
    assert echo.closed == 0
    with pytest.raises(FatalError, match="no topic"):
        echo.function({"raise": "fatal"}, FakeContext())
    assert echo.closed == 1
    echo.function({}, FakeContext())
    assert echo.opened == 2


def test_a_fault_of_ours_is_told_by_type_and_place_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """The message of an unexpected exception may quote a ticket, so neither the error nor a log line has it."""
    echo = Echo()
    with pytest.raises(InternalError, match=r"KeyError at tests\.lambdas\.test_function:\d+") as caught:
        echo.function({"raise": "bug"}, FakeContext())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "the text" not in capsys.readouterr().err


def test_every_line_and_metric_names_the_request_and_its_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log lines are JSON with the ids of Lambda's request and of X-Ray's trace, in W3C's form."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    echo = Echo()
    trace_id = "67891233abcdef012345678912345678"
    assert echo.function({}, FakeContext(aws_request_id="r-7")) == {"trace": trace_id}
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["handling", "an event was handled"]
    assert {(line["aws_request_id"], line["trace_id"]) for line in lines} == {("r-7", trace_id)}
    assert lines[-1]["cold"] is True
    assert [json.loads(line)["aws_request_id"] for line in echo.lines] == ["r-7"]


def test_metrics_name_the_function_as_it_is_deployed() -> None:
    """Two environments in an account have metrics of their own: the deployed name is a dimension."""
    echo = Echo()
    echo.function({}, FakeContext())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "ticketstream-prod-echo")
        echo.function({}, FakeContext())
    assert [json.loads(line)["function"] for line in echo.lines] == ["echo", "ticketstream-prod-echo"]


def test_a_failed_event_is_logged_as_an_error_and_its_metrics_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line of a failed event has the error's type."""
    echo = Echo()
    with pytest.raises(TransientError):
        echo.function({"raise": "transient"}, FakeContext())
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (last["level"], last["fault"]) == ("ERROR", "TransientError")
    assert len(echo.lines) == 1


@pytest.mark.parametrize(
    ("header", "traceparent"),
    [
        (HEADER, "00-67891233abcdef012345678912345678-53995c3f42cd8ad8-01"),
        (HEADER.replace("Sampled=1", "Sampled=0"), "00-67891233abcdef012345678912345678-53995c3f42cd8ad8-00"),
        ("Root=1-67891233-abcdef012345678912345678", ""),
        ("Root=nonsense;Parent=53995c3f42cd8ad8", ""),
        ("", ""),
    ],
)
def test_xrays_header_becomes_w3cs(header: str, traceparent: str) -> None:
    """The root and the parent in X-Ray's header become the trace and the parent in W3C's."""
    assert trace_of({"_X_AMZN_TRACE_ID": header})[1] == traceparent
