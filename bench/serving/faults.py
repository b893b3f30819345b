"""Faults of the RAG service's dependencies, made with the tests' rigs. Each is prepared before the service starts."""

import socket
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from answers.sentences import is_statement, plain, spans_of
from bench.serving.load import ANSWERS, Wanted
from bench.serving.outage import Fault
from bench.serving.stage import Stage, open_worker
from tests.rigs.language_models import Fault as ModelFault
from tests.rigs.language_models import LanguageModelServer, Reply
from tests.rigs.language_models.replies import Request
from tests.rigs.proxy import Proxy
from tests.rigs.qdrant_facade.process import FacadeProcess
from tests.rigs.redis_server import start_valkey

#: The number of slow clients, more than the service answers at once.
_SLOW_CLIENTS: Final = 24
#: The number of the slow clients' first question.
_APART: Final = 2 * 10**7
_SIP_BYTES: Final = 16
_SIP_S: Final = 0.2
_SLOW_REDIS_S: Final = 1.0


class Preparation(Struct, frozen=True, eq=False):
    """A fault may change these before worker and service start: the environment variables, and `stack`."""

    stack: ExitStack
    variables: dict[str, str]


#: Prepares a fault; returns a function that makes the fault from the running stage.
Prepare = Callable[[Preparation], Callable[[Stage], Fault]]


def index_down(prepared: Preparation) -> Callable[[Stage], Fault]:
    """A Qdrant server is killed and restarted."""
    folder = Path(prepared.stack.enter_context(tempfile.TemporaryDirectory()))
    server = prepared.stack.enter_context(FacadeProcess(folder))
    prepared.variables["TICKETS_INDEX__URL"] = server.url
    return lambda _stage: Fault(server.kill, server.restart)


def worker_gone(prepared: Preparation) -> Callable[[Stage], Fault]:
    """The worker that owns the embedded index is killed, and another one is started."""
    return lambda stage: Fault(stage.task.kill, lambda: open_worker(prepared.stack, prepared.variables).check())


def redis_down(prepared: Preparation) -> Callable[[Stage], Fault]:
    """The cache's server refuses connections."""
    proxy = _redis(prepared)
    return lambda _stage: Fault(proxy.refuse, proxy.heal)


def redis_slow(prepared: Preparation) -> Callable[[Stage], Fault]:
    """The cache's server takes seconds to answer."""
    proxy = _redis(prepared)
    return lambda _stage: Fault(partial(proxy.latency, _SLOW_REDIS_S), proxy.heal)


def model_that(fault: ModelFault) -> Prepare:
    """A language model with this fault."""

    def prepare(prepared: Preparation) -> Callable[[Stage], Fault]:
        server = prepared.stack.enter_context(_Quoting())
        names = {"CHAIN": "openai:m", "OPENAI_URL": server.url}
        prepared.variables.update({f"TICKETS_LANGUAGE_MODEL__{name}": value for name, value in names.items()})
        return lambda _stage: Fault(partial(server.fail, fault), partial(server.fail, None))

    return prepare


def slow_clients(_prepared: Preparation) -> Callable[[Stage], Fault]:
    """Many clients ask for streams and read only a few bytes per second."""
    ended = threading.Event()

    def make(stage: Stage) -> Fault:
        url = stage.service.url

        def begin() -> None:
            for number, wanted in enumerate(stage.wanted(_SLOW_CLIENTS, begin=_APART)):
                asked = _request(url, stage.service.headers(wanted.tenant_id, number), wanted)
                threading.Thread(target=_sip, args=(url, asked, ended), daemon=True).start()

        return Fault(begin, ended.set)

    return make


FAULTS: Final[Mapping[str, Prepare]] = {
    "index down": index_down,
    "worker gone": worker_gone,
    "Redis down": redis_down,
    "Redis slow": redis_slow,
    "model throttled": model_that("throttled"),
    "model timing out": model_that("silent"),
    "model cut mid-stream": model_that("cut"),
    "model sending garbage": model_that("garbage"),
    "model endless": model_that("endless"),
    "clients that read slowly": slow_clients,
}


def _redis(prepared: Preparation) -> Proxy:
    server = prepared.stack.enter_context(start_valkey())
    proxy = prepared.stack.enter_context(Proxy(server.address))
    prepared.variables["TICKETS_CACHE__URL"] = f"redis://{proxy.address}/0"
    return proxy


class _Quoting(LanguageModelServer):
    """A model that writes the first statement of the first source, until `fail` sets a fault."""

    def __init__(self) -> None:
        super().__init__()
        self._fault: ModelFault | None = None

    def fail(self, fault: ModelFault | None) -> None:
        """Set the fault of all further requests; None removes it."""
        self._fault = fault

    def take(self, request: Request) -> Reply:
        """See `LanguageModelServer`."""
        return Reply(text=_quoted(str(request.body["messages"][-1]["content"])), fault=self._fault)


def _quoted(prompt: str) -> str:
    """The reply of a model that repeats its first source."""
    source = next((line for line in prompt.splitlines() if line.startswith('{"source":')), "{}")
    text = str(msgspec.json.decode(source, type=dict[str, int | str]).get("text", ""))
    sentences = (text[start:end] for start, end in spans_of(text))
    said = next((plain(one) for one in sentences if is_statement(one)), "")
    return msgspec.json.encode({"text": said, "sources": [1]}).decode() + "\n"


def _request(url: str, headers: Mapping[str, str], wanted: Wanted) -> bytes:
    body = msgspec.json.encode(wanted.body)
    given = {
        **headers,
        "Host": urlsplit(url).netloc,
        "Accept": "text/event-stream",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST {ANSWERS} HTTP/1.1\r\n{head}\r\n".encode() + body


def _sip(url: str, asked: bytes, ended: threading.Event) -> None:
    """Ask for a stream, and read a few bytes at intervals."""
    found = urlsplit(url)
    with socket.socket() as client, suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel's minimum
        client.connect((found.hostname, found.port))
        client.sendall(asked)
        while not ended.wait(_SIP_S) and client.recv(_SIP_BYTES):
            pass
