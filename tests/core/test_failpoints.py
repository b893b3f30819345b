"""Failpoints: their grammar and their actions."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from timeit import repeat
from typing import get_args

import pytest

from core.errors import ConfigError, FatalError, TransientError
from core.failpoints import Point, arm, failpoint
from tests.rigs.waiting import PATIENCE_S


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm(None)


def _raising_hits(hits: int) -> list[int]:
    """The numbers of those of `hits` hits of before_commit that raise."""
    found = []
    for number in range(1, hits + 1):
        try:
            failpoint("before_commit")
        except FatalError:
            found.append(number)
    return found


def _nothing(_point: str) -> None:
    pass


@pytest.mark.parametrize("text", [None, "", " ", ","])
def test_an_unarmed_point_does_nothing(text: str | None) -> None:
    """An unarmed point costs no more than a few calls of an empty function."""
    arm(text)
    for point in get_args(Point):
        failpoint(point)
    passing_s, nothing_s = (
        min(repeat(partial(call, "after_fetch"), number=10_000, repeat=5)) for call in (failpoint, _nothing)
    )
    assert passing_s < 10 * nothing_s


def test_the_variable_alone_arms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable has no effect on a process that doesn't arm its failpoints, such as the bench."""
    monkeypatch.setenv("TICKETS_TEST_FAILPOINTS", "after_fetch=raise")
    code = "from core.failpoints import failpoint; failpoint('after_fetch')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)


def test_only_the_armed_point_acts() -> None:
    """Each armed point acts as configured, and the others do nothing."""
    arm("after_send=raise:transient, after_embed=raise")
    with pytest.raises(TransientError, match="after_send"):
        failpoint("after_send")
    with pytest.raises(FatalError, match="after_embed"):
        failpoint("after_embed")
    failpoint("after_fetch")


def test_a_number_fires_on_that_hit_only() -> None:
    """`@3` fires on the third of five hits only."""
    arm("before_commit=raise@3")
    assert _raising_hits(5) == [3]


def test_a_point_may_be_armed_twice() -> None:
    """Two entries of one point count their hits independently."""
    arm("before_commit=raise@2,before_commit=raise@4")
    assert _raising_hits(5) == [2, 4]


def test_a_probability_is_reproducible_by_its_seed() -> None:
    """`@p0.1` fires on about a tenth of the hits, and on the same ones for the same seed."""
    drawn = []
    for text in ("before_commit=raise@p0.1/7", "before_commit=raise@p0.1/7", "before_commit=raise@p0.1/8"):
        arm(text)
        drawn.append(_raising_hits(1_000))
    assert 60 <= len(drawn[0]) <= 140
    assert drawn[0] == drawn[1] != drawn[2]


def test_hits_of_all_threads_are_counted_together() -> None:
    """The hundredth hit over all threads fires, and no other."""
    arm("before_commit=raise@100")
    met: list[list[int]] = []
    threads = [threading.Thread(target=lambda: met.append(_raising_hits(100))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(numbers) for numbers in met) == 1


def test_sleep_delays_the_process() -> None:
    """`sleep:0.2` delays the process by 0.2 s, and it continues."""
    arm("after_fetch=sleep:0.2@1")
    began = time.monotonic()
    failpoint("after_fetch")
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("action", "code"), [("kill", -9), ("hang", None)])
def test_kill_ends_the_process_and_hang_never_returns(action: str, code: int | None) -> None:
    """`kill` sends SIGKILL, which no handler catches, and `hang` blocks for ever."""
    script = (
        f"from core.failpoints import *; arm('after_fetch={action}'); print('x', flush=True); failpoint('after_fetch')"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        found: int | None = process.wait(0.5 if code is None else 30)
    except subprocess.TimeoutExpired:
        found = None
    process.kill()
    process.communicate()
    assert found == code


@pytest.mark.parametrize(
    "text",
    [
        "after_fetch",
        "after_fetch=",
        "after_fetch=explode",
        "after_fetch=sleep",
        "after_fetch=sleep:soon",
        "after_fetch=kill@0",
        "after_fetch=kill@p2",
        "after_fetch=kill@p0.1/x",
        "after_fetch=kill@3@4",
        "before_lunch=kill",
        "after_fetch=kill;after_send=kill",
    ],
)
def test_a_malformed_entry_is_a_one_line_error(text: str) -> None:
    """The error names the variable, and no entry is armed, not even the valid ones."""
    with pytest.raises(ConfigError, match="TICKETS_TEST_FAILPOINTS") as raised:
        arm(f"after_embed=raise,{text}")
    assert "\n" not in str(raised.value)
    failpoint("after_embed")
