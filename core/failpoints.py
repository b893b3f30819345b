"""Named places where a test can make a process die, wait or fail: nothing at all until `arm` is called.

    TICKETS_TEST_FAILPOINTS="after_fetch=kill@3,before_commit=sleep:2@p0.1"

Entries are `point=action`, or `point=action@trigger`, separated by commas; a point may have several. Actions: `kill`
(SIGKILL to this process), `sleep:SECONDS`, `hang` (for ever), `raise` (a `FatalError`), `raise:transient` (a
`TransientError`). Triggers: `@3` is the third hit and no other, `@p0.1` a hit in ten, `@p0.1/7` the same with the seed
7; without one it is every hit. Hits are counted per entry, over all threads.
"""

import logging
import os
import re
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Final, Literal, get_args

from msgspec import Struct

from core.errors import ConfigError, FatalError, TransientError

logger: Final = logging.getLogger("ticketstream.failpoints")

VARIABLE: Final = "TICKETS_TEST_FAILPOINTS"

Point = Literal[
    "after_fetch",  # a batch is read, no step has seen it
    "after_embed",  # its points are made, nothing is written
    "after_send",  # points are with the index; we don't know yet that they are
    "after_response",  # the index, or the next topic, has all of the batch on disk, the batch is not acked
    "after_dead_letter_ack",  # dead letters of it are written: before its points, or what the index refused of them
    "before_commit",  # offsets are about to be committed
]

_POINTS: Final[tuple[str, ...]] = get_args(Point)
_ENTRY: Final = re.compile(
    r"(?P<point>\w+)=(?P<action>kill|hang|raise(?::transient)?|sleep:(?P<seconds>\d+(?:\.\d+)?))"
    r"(?:@(?:(?P<nth>[1-9]\d*)|p(?P<share>[01](?:\.\d+)?)(?:/(?P<seed>\d+))?))?"
)
_EXAMPLE: Final = "write for example after_fetch=kill@3,before_commit=sleep:2@p0.1"


class _Entry(Struct, frozen=True):
    due: Callable[[], bool]
    act: Callable[[], object]


_armed: dict[str, list[_Entry]] = {}


def failpoint(point: Point) -> None:
    """Do what is armed at `point`.

    Raises:
        FatalError: armed with `raise`.
        TransientError: armed with `raise:transient`.
    """
    if _armed:
        for act in [entry.act for entry in _armed.get(point, ()) if entry.due()]:  # all count the hit, then some act
            act()


def arm(text: str | None) -> None:
    """Arm the entries of `text` in this process, in place of what was armed; None or nothing disarms.

    Raises:
        ConfigError: an entry is malformed; nothing is armed then.
    """
    global _armed  # noqa: PLW0603 - one process, one set of failpoints: a call site has nothing to ask but the module
    _armed = {}
    wanted: dict[str, list[_Entry]] = defaultdict(list)
    for written in (text or "").split(","):
        if written.strip():
            point, entry = _parse(written.strip())
            wanted[point].append(entry)
    if wanted:
        logger.warning("failpoints are armed, this process will break on purpose: %s", text)
    _armed = dict(wanted)


def _parse(written: str) -> tuple[str, _Entry]:
    found = _ENTRY.fullmatch(written)
    if found is None or float(found["share"] or 0) > 1:
        raise ConfigError(f"{VARIABLE}: {written!r} is no failpoint; {_EXAMPLE}")
    point = found["point"]
    if point not in _POINTS:
        raise ConfigError(f"{VARIABLE}: there is no point {point!r}; there are {', '.join(_POINTS)}")
    return point, _Entry(_trigger(found), _action(found))


def _trigger(found: re.Match[str]) -> Callable[[], bool]:
    if found["nth"]:
        number, hits = int(found["nth"]), count(1)
        return lambda: next(hits) == number
    if found["share"]:
        share, rng = float(found["share"]), Random(int(found["seed"] or 0))  # noqa: S311 - a test's dice, not a secret
        return lambda: rng.random() < share
    return lambda: True


def _action(found: re.Match[str]) -> Callable[[], object]:
    words = f"failpoint {found['point']}"
    match found["action"]:
        case "kill":
            return lambda: os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            return threading.Event().wait
        case "raise":
            return lambda: _raise(FatalError(words))
        case "raise:transient":
            return lambda: _raise(TransientError(words))
    return lambda: time.sleep(float(found["seconds"]))


def _raise(error: Exception) -> None:
    raise error
