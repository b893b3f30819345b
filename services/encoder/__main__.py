"""`python -m services.encoder [serve | train [FOLDER]]`: the entry point of SageMaker's containers.

`serve`, the default, embeds texts until SIGTERM or SIGINT. `train` fits a label model to the tickets in FOLDER, by
default /opt/ml.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.errors import EXIT_USAGE
from core.settings import Settings
from services.encoder.compose import open_app
from services.http.running import Address, Service

#: SageMaker's port.
_PORT: Final = 8080


def _address(_settings: Settings) -> Address:
    return Address("0.0.0.0", _PORT, f"port {_PORT}")  # noqa: S104 - SageMaker's router is outside the container


SERVICE: Final = Service(open_app, _address)


def main(arguments: Sequence[str]) -> int:
    """Serve or train, and return the exit code."""
    match arguments:
        case [] | ["serve"]:
            return SERVICE.main()
        case ["train", *folder] if len(folder) <= 1:
            from services.encoder import training  # noqa: PLC0415 - an endpoint doesn't need it

            return training.main(*map(Path, folder))
    sys.stderr.write("ticketstream: unknown arguments; use `serve` or `train [FOLDER]`\n")
    return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
