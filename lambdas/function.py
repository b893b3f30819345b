"""A Lambda function: opened at its first event, with JSON logs, metrics, and the trace of each event."""

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from contextvars import ContextVar
from typing import Any, Final, Protocol

from msgspec import Struct

from core import failpoints
from core.environment import load_settings
from core.errors import ConfigError, FatalError, TicketstreamError, UnavailableError
from core.settings import Settings
from lambdas.emf import EmfTelemetry
from runtime.logs import set_up_logging
from runtime.telemetry import Telemetry

logger: Final = logging.getLogger("ticketstream.lambdas")

#: An event or a response, as JSON. Its form is up to the caller and the handler.
Event = dict[str, Any]

#: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
_TRACE: Final = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)")
_PARENT: Final = re.compile(r"Parent=([0-9a-f]{16})(?:;|$)")
_TRACE_VARIABLE: Final = "_X_AMZN_TRACE_ID"
#: Set by Lambda: the deployed function's name, which is unique in its account and region.
_NAME_VARIABLE: Final = "AWS_LAMBDA_FUNCTION_NAME"
_MS: Final = 1_000


class Context(Protocol):
    """The part of Lambda's context that the handlers use."""

    @property
    def aws_request_id(self) -> str: ...

    def get_remaining_time_in_millis(self) -> int: ...


class InternalError(Exception):
    """A bug. The message has its type and place, because the original message might quote a ticket."""


class Call(Struct, frozen=True):
    """The handling of one event.

    Attributes:
        context: Lambda's context.
        request_id: Lambda's request id, the same when an event is delivered again.
        trace_id: W3C trace id, 32 hexadecimal digits, or empty if the event isn't traced.
        traceparent: the W3C header that continues the trace, or empty.
    """

    context: Context
    request_id: str
    trace_id: str = ""
    traceparent: str = ""

    def left_s(self) -> float:
        """Seconds until Lambda ends the process."""
        return self.context.get_remaining_time_in_millis() / _MS


Handle = Callable[[Event, Call], Event]
OpenHandle = Callable[[Settings, ExitStack, Telemetry], Handle]

_CALL: ContextVar[Call | None] = ContextVar("call", default=None)


class _CallFilter(logging.Filter):
    """Adds the ids of the current event to every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        call = _CALL.get()
        if call is not None:
            record.aws_request_id = call.request_id
            if call.trace_id and not hasattr(record, "trace_id"):
                record.trace_id = call.trace_id
        return True


class Function:
    """Lambda's entry point: `handler = Function("name", open_handle)` in a module. It opens nothing until called."""

    def __init__(self, name: str, open_handle: OpenHandle, *, write: Callable[[str], object] | None = None) -> None:
        """A function that isn't open yet.

        Args:
            name: the dimension `function` of the metrics where Lambda gives the function no name.
            open_handle: opens what the handler needs; called at the first event, and after a fatal error.
            write: writes the lines of metrics, by default to standard output.
        """
        self._name = name
        self._open_handle = open_handle
        self._write = write or _print
        self._stack = ExitStack()
        self._handle: Handle | None = None
        self._telemetry = EmfTelemetry()

    def __call__(self, event: Event, context: Context) -> Event:
        """Handle an event.

        Raises:
            TicketstreamError: raised by the handler. Lambda delivers the event again, or returns the error to its
            caller.
            InternalError: any other exception.
        """
        call = _call(context)
        began, cold, fault = time.monotonic(), self._handle is None, "InternalError"
        token = _CALL.set(call)
        try:
            if self._handle is None:
                self._handle = self._open()
            answer = self._handle(event, call)
            fault = ""
        except TicketstreamError as error:
            fault = type(error).__name__
            if isinstance(error, (FatalError, ConfigError, UnavailableError)):
                self.close()  # the next event gets new clients
            raise
        except Exception as error:  # noqa: BLE001 - raised below, without the message, which may quote a ticket
            self.close()
            raise InternalError(_place(error)) from None
        else:
            return answer
        finally:
            facts = {"seconds": round(time.monotonic() - began, 6), "cold": cold, "fault": fault or None}
            logger.log(logging.ERROR if fault else logging.INFO, "an event was handled", extra=facts)
            name = os.environ.get(_NAME_VARIABLE, self._name)
            self._telemetry.flush(self._write, function=name, request_id=call.request_id)
            _CALL.reset(token)

    def close(self) -> None:
        """Close what was opened."""
        self._handle = None
        stack, self._stack = self._stack, ExitStack()
        try:
            stack.close()
        except TicketstreamError as error:
            logger.warning("closing failed: %s", error)

    def _open(self) -> Handle:
        failpoints.arm(os.environ.get(failpoints.VARIABLE))
        settings = load_settings()
        set_up_logging(settings.log)
        for handler in logging.getLogger().handlers:
            handler.addFilter(_CallFilter())
        return self._open_handle(settings, self._stack, self._telemetry)


def _call(context: Context) -> Call:
    return Call(context, context.aws_request_id, *trace_of(os.environ))


def trace_of(environ: Mapping[str, str]) -> tuple[str, str]:
    """The W3C trace id and `traceparent` of X-Ray's header in the environment; empty if there is none."""
    header = environ.get(_TRACE_VARIABLE, "")
    root, parent = _TRACE.search(header), _PARENT.search(header)
    if root is None:
        return "", ""
    trace_id = root[1] + root[2]
    sampled = "01" if "Sampled=1" in header else "00"
    return trace_id, f"00-{trace_id}-{parent[1]}-{sampled}" if parent else ""


def _place(error: BaseException) -> str:
    """The type of an exception, and the innermost line of our code in its traceback."""
    at, place = error.__traceback__, "?"
    while at is not None:
        place = f"{at.tb_frame.f_globals.get('__name__', '?')}:{at.tb_lineno}"
        at = at.tb_next
    return f"{type(error).__name__} at {place}"


def _print(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()
