"""Lambda's Runtime API and a process of AWS's own runtime client, awslambdaric, which runs a handler.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from tests.rigs.guard import guard
from tests.rigs.waiting import PATIENCE_S

_API: Final = "/2018-06-01/runtime"
ARN: Final = "arn:aws:lambda:eu-central-1:123456789012:function:f"
TRACE: Final = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"
TIMED_OUT: Final = "Sandbox.Timedout"
ENDED: Final = "Runtime.ExitError"


class Result(Struct, frozen=True):
    """The outcome of an invocation: a payload, or the name and message of an error."""

    payload: Any = None
    error: str | None = None
    message: str = ""


class Start(Struct, frozen=True):
    """The time from the start of a process until it asks for its first event, and the CPU time that it took."""

    seconds: float
    cpu_s: float


class _Api(ThreadingHTTPServer):
    """The API of one process."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.waiting: queue.Queue[tuple[str, bytes, float]] = queue.Queue()
        self.results: dict[str, queue.Queue[Result]] = {}
        self.init_error: Result | None = None
        self.asked = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed process leaves its connection open."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Api
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.set()
        request_id, event, deadline_s = self.server.waiting.get()
        self.send_response(200)
        for name, value in (
            ("Lambda-Runtime-Aws-Request-Id", request_id),
            ("Lambda-Runtime-Deadline-Ms", str(int(deadline_s * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", ARN),
            ("Lambda-Runtime-Trace-Id", TRACE),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(event))),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request_id, what = self.path.removeprefix(_API).split("/")[-2:]
        if what == "response":
            self.server.results[request_id].put(Result(json.loads(body)))
        else:
            said = json.loads(body)
            result = Result(None, said["errorType"], said["errorMessage"])
            if request_id == "init":
                self.server.init_error = result
                self.server.asked.set()
            else:
                self.server.results[request_id].put(result)
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


class RunningFunction:
    """A function whose process is started on demand and ended at its timeout, as on Lambda."""

    def __init__(self, command: Sequence[str], folder: Path, environ: Mapping[str, str], log: Path) -> None:
        self._command = list(command)
        self._folder = folder
        self._environ = dict(environ)
        self._log = log
        self._api: _Api | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guarding: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> Start:
        """Start a process. Returns the time of its start."""
        self.kill()
        self._api = api = _Api()
        environ = self._environ | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_address[1]}"}
        began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._guarding = guard(self._process.pid)
        self.starts += 1
        while not api.asked.wait(0.01):
            assert time.monotonic() < began + PATIENCE_S, self.logged()
            assert self._process.poll() is None, self.logged()
        return Start(time.monotonic() - began, _cpu_s(self._process.pid))

    def invoke(self, event: object, *, timeout_s: float = 60.0) -> Result:
        """The outcome of an event. A process that is silent for longer than `timeout_s` is killed."""
        if self._process is None or self._process.poll() is not None:
            self.start()
        api, process = self._api, self._process
        assert api is not None
        assert process is not None
        if api.init_error is not None:
            return api.init_error
        request_id = str(uuid4())
        answer: queue.Queue[Result] = queue.Queue()
        api.results[request_id] = answer
        api.waiting.put((request_id, json.dumps(event).encode(), time.time() + timeout_s))
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                return answer.get(timeout=0.05)
            except queue.Empty:
                if process.poll() is not None:
                    return Result(None, ENDED, "the process ended")
        self.kill()
        return Result(None, TIMED_OUT, f"no answer in {timeout_s} s")

    def cpu_s(self) -> float:
        """The CPU time that the process has taken."""
        assert self._process is not None
        return _cpu_s(self._process.pid)

    def kill(self) -> None:
        """End the process at once, as when Lambda's machine fails."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._guarding is not None:
            self._guarding.kill()
            self._guarding.wait()
            if self._guarding.stdin is not None:
                self._guarding.stdin.close()
            self._guarding = None
        if self._api is not None:
            self._api.close()
            self._api = None

    def logged(self) -> str:
        """The output of all processes."""
        return self._log.read_text(errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines of `logged`."""
        return [json.loads(line) for line in self.logged().splitlines() if line.startswith("{")]


def _cpu_s(pid: int) -> float:
    """proc(5): utime and stime are the 14th and 15th fields; the second may hold spaces."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def run_function(
    handler: str, folder: Path, log: Path, *, python: str, path: Sequence[Path] = (), environ: Mapping[str, str] = {}
) -> Iterator[RunningFunction]:
    """Run `handler` (module.function) of `folder` until the end of the `with`.

    Args:
        handler: as Lambda's setting names it.
        folder: the function's files.
        log: gets what the processes write.
        python: has awslambdaric, or finds it in `path`.
        path: folders of libraries that are not in `folder`.
        environ: the function's variables.
    """
    lambda_own = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(folder),
        "_HANDLER": handler,
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "123456789012",
        "AWS_SECRET_ACCESS_KEY": "of-nobody",
    }
    log.touch()
    function = RunningFunction([python, "-m", "awslambdaric", handler], folder, lambda_own | dict(environ), log)
    try:
        yield function
    finally:
        function.kill()
