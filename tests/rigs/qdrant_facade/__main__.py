"""Serve a folder: `python -m tests.rigs.qdrant_facade FOLDER [--port N]`; ends on SIGTERM or end of input."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

import msgspec

from tests.rigs.qdrant_facade.control import serve_control
from tests.rigs.qdrant_facade.facade import QdrantFacade
from tests.rigs.qdrant_facade.process import Ready


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.rigs.qdrant_facade")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-key")
    parser.add_argument("--tls", type=Path, nargs=2, metavar=("CERTIFICATE", "KEY"))
    given = parser.parse_args()

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    tls = tuple(given.tls) if given.tls else None
    with QdrantFacade(given.folder, port=given.port, api_key=given.api_key, tls=tls) as facade:
        try:
            sys.stdout.buffer.write(msgspec.json.encode(Ready(facade.port, serve_control(facade))) + b"\n")
            sys.stdout.buffer.flush()
            sys.stdin.buffer.read()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
