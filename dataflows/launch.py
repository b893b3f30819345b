"""Starts a pipeline under Bytewax, and ends a failed one with a one-line error and its exit code."""

import atexit
import logging
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

from core.disk import file_error
from core.environment import load_settings
from core.errors import EXIT_FAULT, EXIT_OK, TicketstreamError
from core.settings import Settings
from runtime.logs import set_up_logging
from runtime.malloc import share_arenas
from runtime.signals import ignore_signals
from stream.pipeline import Pipeline

logger: Final = logging.getLogger("ticketstream.dataflow")


def launch(open_pipeline: Callable[[Settings], Pipeline]) -> Pipeline:
    """Open a pipeline, and drain it on SIGTERM or SIGINT. An error ends the process with one line."""
    _leave_on_signal()
    share_arenas()
    try:
        settings = load_settings()
        set_up_logging(settings.log)
        pipeline = open_pipeline(settings)
    except TicketstreamError as error:
        _exit_with(error)
    except OSError as error:
        fault = file_error(error)
        if fault is None:
            raise
        _exit_with(fault)
    _stop_on_signal(pipeline)
    atexit.register(_exit_with_status, pipeline)
    return pipeline


def _exit_with(error: TicketstreamError) -> NoReturn:
    sys.stderr.write(f"ticketstream: {error}\n")
    sys.exit(error.exit_code)


def _leave_on_signal() -> None:
    """End at once with 0 on a signal during the start, as nothing has been read that would have to be drained.

    By default process 1 of a container ignores SIGTERM: the worker would finish its start, and be killed in the end.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        os._exit(EXIT_OK)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _stop_on_signal(pipeline: Pipeline) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        pipeline.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _exit_with_status(pipeline: Pipeline) -> None:
    """End the process of a pipeline that failed, as Bytewax exits with 0 when its source ends.

    The process of one that hangs ends here too: its threads could crash while the interpreter shuts down.
    """
    ignore_signals()
    fault = pipeline.fault
    if fault is None and not pipeline.hangs:
        return
    if fault is not None:
        sys.stderr.write(f"ticketstream: {fault}\n")
    sys.stderr.flush()
    logging.shutdown()
    os._exit(_exit_code(fault))


def _exit_code(fault: BaseException | None) -> int:
    if fault is None:
        return EXIT_OK
    return fault.exit_code if isinstance(fault, TicketstreamError) else EXIT_FAULT
