"""The rig runs a handler under AWS's own runtime client, and returns its errors with Lambda's names."""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.rigs.lambda_runtime import ENDED, TIMED_OUT, TRACE, Result, RunningFunction, run_function

if find_spec("awslambdaric") is None and not os.environ.get("CI"):
    pytest.skip("awslambdaric is not installed; run `make install`", allow_module_level=True)

_HANDLER = """
import os, signal, time
class Throttled(Exception): pass
calls = 0
def handle(event, context):
    global calls
    calls += 1
    match event.get("do"):
        case "raise": raise Throttled("later")
        case "sleep": time.sleep(60)
        case "die": os.kill(os.getpid(), signal.SIGKILL)
    left = context.get_remaining_time_in_millis()
    return {"calls": calls, "trace": os.environ["_X_AMZN_TRACE_ID"], "in_time": 0 < left <= 60_000}
"""


@pytest.fixture
def function(tmp_path: Path) -> Iterator[RunningFunction]:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "handler.py").write_text(_HANDLER)
    path = [Path(place) for place in sys.path if place]
    with run_function("handler.handle", tmp_path / "task", tmp_path / "log", python=sys.executable, path=path) as made:
        yield made


def test_a_process_handles_events_until_it_ends(function: RunningFunction) -> None:
    """The process lives on between events and after an error, and a new one replaces it when it dies or is too slow."""
    first = {"calls": 1, "trace": TRACE, "in_time": True}
    assert function.invoke({}) == Result(first)
    assert function.invoke({"do": "raise"}) == Result(None, "Throttled", "later")
    assert function.invoke({}) == Result(first | {"calls": 3})
    assert function.invoke({"do": "die"}).error == ENDED
    assert function.invoke({}) == Result(first)
    assert function.invoke({"do": "sleep"}, timeout_s=0.2).error == TIMED_OUT
    assert function.invoke({}) == Result(first)
    assert function.starts == 3


def test_a_handler_that_cannot_be_imported_is_an_error_of_the_start(function: RunningFunction) -> None:
    """Lambda calls it Runtime.ImportModuleError, and so does the rig."""
    (Path(function._folder) / "handler.py").write_text("import no_such_library\n")
    found = function.invoke({})
    assert found.error == "Runtime.ImportModuleError"
    assert "no_such_library" in found.message
