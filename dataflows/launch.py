"""Starting a pipeline under Bytewax, and ending it with one line and the right exit code."""

import atexit
import logging
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final

from core.environment import load_settings
from core.errors import EXIT_FAULT, EXIT_OK, TicketstreamError
from core.settings import Settings
from runtime.logs import set_up_logging
from stream.pipeline import Pipeline

logger: Final = logging.getLogger("ticketstream.dataflow")


def launch(build: Callable[[Settings], Pipeline]) -> Pipeline:
    """A running pipeline that SIGTERM and SIGINT drain. A user's mistake ends the process here, in one line."""
    try:
        settings = load_settings()
        set_up_logging(settings.log)
        pipeline = build(settings)
    except TicketstreamError as error:
        sys.stderr.write(f"ticketstream: {error}\n")
        sys.exit(error.exit_code)
    _stop_on_signal(pipeline)
    atexit.register(_have_the_last_word, pipeline)
    return pipeline


def _stop_on_signal(pipeline: Pipeline) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        pipeline.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _have_the_last_word(pipeline: Pipeline) -> None:
    """Bytewax ends with 0 whenever its source ends; a pipeline that failed says otherwise.

    One that hangs ends here too: its threads could meet an interpreter that is half taken down.
    """
    fault = pipeline.fault
    if fault is None and not pipeline.hangs:
        return
    if fault is not None:
        sys.stderr.write(f"ticketstream: {fault}\n")
    sys.stderr.flush()
    logging.shutdown()
    os._exit(_code(fault))


def _code(fault: BaseException | None) -> int:
    if fault is None:
        return EXIT_OK
    return fault.exit_code if isinstance(fault, TicketstreamError) else EXIT_FAULT
