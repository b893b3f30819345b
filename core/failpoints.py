"""Named places where a test can make a process die, wait or fail. They do nothing until `arm` is called.

    TICKETS_TEST_FAILPOINTS="after_fetch=kill@3,before_commit=sleep:2@p0.1"

Entries are `point=action`, or `point=action@trigger`, separated by commas; a point may have several. Actions: `kill`
(SIGKILL to this process), `sleep:SECONDS`, `hang` (for ever), `raise` (a `FatalError`), `raise:transient` (a
`TransientError`). Triggers: `@3` fires on the third hit only, `@p0.1` on each hit with probability 0.1, `@p0.1/7` the
same with the random seed 7; without one every hit fires. Hits are counted per entry, over all threads.
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

#: Of a worker.
StreamPoint = Literal[
    "after_fetch",  # a batch is read; no step has run
    "after_embed",  # the batch is embedded; nothing is written
    "after_send",  # the write was sent to the index; its response has not been read
    "after_response",  # the batch is durable in the index or the next topic; it is not acked
    "after_dead_letter_ack",  # dead letters of the batch are durable, whether a step or the index rejected the records
    "after_note",  # positions are noted in the index; none of them is committed
    "before_commit",  # offsets are about to be committed
]

#: Of the ticket API.
OutboxPoint = Literal[
    "change_checked",  # a change is valid; nothing is written
    "change_written",  # ticket, outbox event and response are durable; the client has no response
    "outbox_read",  # events are read from the outbox; none is sent
    "outbox_acked",  # the broker has acknowledged events; they are still in the outbox
    "outbox_removed",  # the acknowledged events are removed
]

#: Of the producer service.
ProducerPoint = Literal[
    "file_claimed",  # the lease of a file is taken; nothing of it is read
    "lines_read",  # lines of a file are read; none is sent
    "lines_acked",  # the broker has acknowledged their records and letters; the checkpoint is not written
    "checkpoint_saved",  # the checkpoint is written
]

#: Of the raw archive.
ArchivePoint = Literal[
    "archive_sealed",  # a file is complete on this machine; nothing is stored
    "archive_stored",  # the file is durable; the manifest doesn't list it
    "archive_listed",  # the manifest lists the file; its offsets are not committed
    "archive_committed",  # its offsets are committed
]

Point = Literal[StreamPoint, OutboxPoint, ProducerPoint, ArchivePoint]

_POINTS: Final[tuple[str, ...]] = get_args(Point)
_ENTRY: Final = re.compile(
    r"(?P<point>\w+)=(?P<action>kill|hang|raise(?::transient)?|sleep:(?P<seconds>\d+(?:\.\d+)?))"
    r"(?:@(?:(?P<nth>[1-9]\d*)|p(?P<probability>[01](?:\.\d+)?)(?:/(?P<seed>\d+))?))?"
)
_EXAMPLE: Final = "write for example after_fetch=kill@3,before_commit=sleep:2@p0.1"


class _Entry(Struct, frozen=True):
    fires: Callable[[], bool]
    action: Callable[[], object]


_armed: dict[str, list[_Entry]] = {}


def failpoint(point: Point) -> None:
    """Run the actions that are armed at `point`.

    Raises:
        FatalError: armed with `raise`.
        TransientError: armed with `raise:transient`.
    """
    if _armed:
        # Every entry counts the hit before the first action runs.
        for action in [entry.action for entry in _armed.get(point, ()) if entry.fires()]:
            action()


def arm(text: str | None) -> None:
    """Arm the entries of `text` in this process, replacing those armed before. None or an empty string disarms all.

    Raises:
        ConfigError: an entry is malformed. Nothing is armed then.
    """
    global _armed  # noqa: PLW0603 - module state, so that call sites need no object
    _armed = {}
    wanted: dict[str, list[_Entry]] = defaultdict(list)
    for spec in (text or "").split(","):
        if spec.strip():
            point, entry = _parse(spec.strip())
            wanted[point].append(entry)
    if wanted:
        logger.warning("failpoints are armed; this process will fail on purpose: %s", text)
    _armed = dict(wanted)


def _parse(spec: str) -> tuple[str, _Entry]:
    found = _ENTRY.fullmatch(spec)
    if found is None or float(found["probability"] or 0) > 1:
        raise ConfigError(f"{VARIABLE}: {spec!r} is not a failpoint; {_EXAMPLE}")
    point = found["point"]
    if point not in _POINTS:
        raise ConfigError(f"{VARIABLE}: unknown point {point!r}; choose one of {', '.join(_POINTS)}")
    return point, _Entry(_trigger(found), _action(found))


def _trigger(found: re.Match[str]) -> Callable[[], bool]:
    if found["nth"]:
        number, hits = int(found["nth"]), count(1)
        return lambda: next(hits) == number
    if found["probability"]:
        probability, rng = float(found["probability"]), Random(int(found["seed"] or 0))  # noqa: S311 - a test's dice, not a secret
        return lambda: rng.random() < probability
    return lambda: True


def _action(found: re.Match[str]) -> Callable[[], object]:
    message = f"failpoint {found['point']}"
    match found["action"]:
        case "kill":
            return lambda: os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            return threading.Event().wait
        case "raise":
            return lambda: _raise(FatalError(message))
        case "raise:transient":
            return lambda: _raise(TransientError(message))
    return lambda: time.sleep(float(found["seconds"]))


def _raise(error: Exception) -> None:
    raise error
