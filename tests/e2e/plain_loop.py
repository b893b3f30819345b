"""Runs the pipeline of `dataflows.tickets` as a process with a plain loop, without Bytewax."""

import signal
import sys

from core.environment import load_settings
from core.errors import TicketstreamError
from runtime.logs import set_up_logging
from runtime.malloc import share_arenas
from stream.compose import open_pipeline
from stream.loop import run


def main() -> int:
    """Run until SIGTERM, and return the exit code."""
    share_arenas()
    try:
        settings = load_settings()
        set_up_logging(settings.log)
        pipeline = open_pipeline(settings)
        signal.signal(signal.SIGTERM, lambda _number, _frame: pipeline.stop())
        run(pipeline)
    except TicketstreamError as error:
        sys.stderr.write(f"ticketstream: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    assert "bytewax" not in sys.modules
    sys.exit(main())
