"""Mutants that break P15 (one ticket or connection starves others) and file permissions."""

import threading
from collections.abc import Callable, Sequence
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import WSGIApplication

from connectors.qdrant import edge_points, lock, reading, rounds
from connectors.qdrant.engine import Condition, OfTickets
from operators import chunk
from runtime import connections, http
from runtime.connections import Limits
from runtime.trace_file import TraceFile
from tests.faults.mutants.mutant import mutant, patch

#: Modules whose imported names are replaced. `Any`, because they don't export those names.
_LOCK: Any = lock
_EDGE_POINTS: Any = edge_points
_READING: Any = reading
_ROUNDS: Any = rounds
_CHUNK: Any = chunk
_CONNECTIONS: Any = connections
_HTTP: Any = http


@mutant("P15", trial="flood_of_passages")
def find_the_same_again() -> None:
    """Each round of a search finds the same tickets again, and rounds are few."""
    filter_of = _EDGE_POINTS.filter_of

    def among_all(conditions: Sequence[Condition], unless: Sequence[Condition] = ()) -> Any:
        return filter_of(conditions, [one for one in unless if not isinstance(one, OfTickets)])

    patch(_EDGE_POINTS, "filter_of", among_all)
    patch(_ROUNDS, "_MAX_FETCH", 512)
    patch(_READING, "_MAX_ROUNDS", 8)


@mutant("P15", trial="flood_of_passages")
def passages_of_any_length() -> None:
    """A word of any length is one passage."""
    patch(_CHUNK, "_CHARACTERS_PER_TOKEN", 1_000_000)


@mutant("P15", trial="flood_of_connections")
def thread_for_each_connection() -> None:
    """Each connection occupies its own thread without a limit of time."""

    class Threaded(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Silent(WSGIRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Log nothing."""

    class Server:
        def __init__(self, app: WSGIApplication, listener: Any, _limits: Limits, _refused: Callable[[], None]) -> None:
            host, port = listener.getsockname()[:2]
            listener.close()
            self._server = make_server(host, port, app, server_class=Threaded, handler_class=Silent)
            self.run = self._server.serve_forever

        def stop(self) -> None:
            threading.Thread(target=self._server.shutdown, daemon=True).start()

    patch(_HTTP, "BoundedServer", Server)


@mutant("P15", trial="flood_of_connections")
def close_without_an_answer() -> None:
    """A connection beyond the limit is closed without an answer."""

    def add_task(self: Any, connection: Any) -> None:
        if len(self._work.queue) < self._limits.waiting:
            self._work.add_task(connection)
        else:
            connection.will_close = True
            connection.requests = []

    patch(_CONNECTIONS._Lanes, "add_task", add_task)


@mutant("P15", trial="files_of_an_index")
def leave_files_to_the_umask() -> None:
    """Folders and files have the permissions of the process's umask."""
    patch(_LOCK, "keep_private", lambda _folder: None)
    patch(_LOCK, "make_private_folder", lambda folder: folder.mkdir(parents=True, exist_ok=True))


@mutant("P15", trial="files_of_an_index")
def trace_for_everybody() -> None:
    """A trace file is open to other users."""

    patch(TraceFile, "open", lambda path, **options: TraceFile(path.open("wb"), **options))
