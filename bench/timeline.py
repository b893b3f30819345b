"""Draws a worker's trace: one row per thread, one bar per span."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import matplotlib as mpl
import msgspec
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from msgspec import Struct

TIMELINE: Final = "timeline.svg"
_SHOWN_S: Final = 2.0
_COLOURS: Final = {"poll": "#cbd5e0", "model": "#2b6cb0", "write_index": "#dd6b20"}
_OPERATORS: Final = "#38a169"
#: `embed` only waits for the model, whose own spans are shown on its threads.
_LEFT_OUT: Final = frozenset({"embed"})
_US: Final = 1e6

Interval = tuple[float, float]


class _Event(Struct):
    """A trace event; times are in microseconds. The last one, which ends the array, is empty."""

    name: str = ""
    ph: str = ""
    tid: int = 0
    ts: float = 0.0
    dur: float = 0.0
    args: dict[str, str | int] = {}


def draw(trace: Path, to: Path) -> dict[str, float]:
    """Draw two seconds from the middle of a trace.

    Returns:
        For poll, operators, model and write: the share of the run during which at least one thread is busy with it.
    """
    events = msgspec.json.decode(trace.read_bytes(), type=list[_Event])
    names = {e.tid: str(e.args["name"]) for e in events if e.ph == "M"}
    spans = [e for e in events if e.ph == "X" and e.name not in _LEFT_OUT]
    work = [e for e in spans if e.name != "poll"]
    begin, end = min(e.ts for e in work), max(e.ts + e.dur for e in work)
    _picture(spans, names, (begin + end) / 2 - _SHOWN_S / 2 * _US, to)
    kinds: dict[str, list[Interval]] = defaultdict(list)
    for e in spans:
        kinds[_kind(e.name)].append((max(begin, e.ts), min(end, e.ts + e.dur)))
    return {kind: _covered(intervals) / (end - begin) for kind, intervals in sorted(kinds.items())}


def _picture(spans: Iterable[_Event], names: dict[int, str], start: float, to: Path) -> None:
    mpl.rcParams["svg.hashsalt"] = "ticketstream"
    rows = {tid: row for row, (tid, _name) in enumerate(sorted(names.items(), key=lambda item: item[1], reverse=True))}
    figure = Figure(figsize=(10, 1.4 + 0.4 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for e in spans:
        left, width = (e.ts - start) / _US, e.dur / _US
        if left + width > 0 and left < _SHOWN_S:
            colour = _COLOURS.get(e.name, _OPERATORS)
            axes.barh(rows[e.tid], width, left=left, height=0.7, color=colour, edgecolor="white", lw=0.3)
    axes.set_yticks(list(rows.values()), [names[tid] for tid in rows])
    axes.set_xlim(0, _SHOWN_S)
    axes.set_xlabel("seconds")
    handles = [Patch(color=colour, label=name) for name, colour in {**_COLOURS, "operators": _OPERATORS}.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(to, metadata={"Date": None})


def _kind(name: str) -> str:
    return name if name in _COLOURS else "operators"


def _covered(intervals: list[Interval]) -> float:
    """Length of the union of the intervals."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(intervals):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total
