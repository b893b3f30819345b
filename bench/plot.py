"""Draws a suite: bars that start at 0, with a colour for the reference or for each figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from bench.suite import Figure as Column
from bench.suite import Suite
from bench.summary import Summary

_BAR_INCHES: Final = 0.42
_REFERENCE: Final = "#2b6cb0"
_OTHER: Final = "#a0aec0"
_COLOURS: Final = ("#2b6cb0", "#dd6b20", "#38a169", "#805ad5")
#: A ratio of figures above this is shown on a logarithmic scale.
_FAR: Final = 50


def plot(suite: Suite, summaries: Sequence[Summary], file: Path) -> str:
    """Draw the suite's plot, and return its alternative text."""
    mpl.rcParams["svg.hashsalt"] = "ticketstream"  # equal pictures are equal files
    plotted = {figure.name for figure in suite.figures if figure.plotted}
    shown = [s for s in reversed(summaries) if not s.skipped and (not plotted or plotted & set(s.figures))]
    rows = len(shown) * max(1, sum(figure.plotted for figure in suite.figures) * 0.6)
    figure = Figure(figsize=(8, 1.2 + _BAR_INCHES * rows), layout="constrained")
    said = _figures(figure, suite, shown) if suite.figures else _speeds(figure, suite, shown)
    figure.savefig(file, metadata={"Date": None})
    return said


def _speeds(figure: Figure, suite: Suite, shown: Sequence[Summary]) -> str:
    """Draw the speeds, with whiskers from the slowest to the fastest round."""
    axes = _axes(figure)
    speeds = [s.per_second for s in shown]
    spread = [[s.per_second - s.least for s in shown], [s.greatest - s.per_second for s in shown]]
    colours = [_REFERENCE if s.contender == suite.reference else _OTHER for s in shown]
    bars = axes.barh([s.contender for s in shown], speeds, xerr=spread, color=colours, ecolor="#4a5568")
    axes.bar_label(bars, [f" {speed:,.0f}" for speed in speeds], padding=4)
    axes.set_xlabel(f"{suite.unit} per second")
    axes.margins(x=0.15)
    return f"{suite.unit} per second, by contender"


def _figures(figure: Figure, suite: Suite, shown: Sequence[Summary]) -> str:
    axes = _axes(figure)
    plotted = [f for f in suite.figures if f.plotted]
    height = 0.8 / len(plotted)
    places = np.arange(len(shown), dtype=float)
    values = [[s.figures.get(f.name, 0.0) for s in shown] for f in plotted]
    for number, (f, of) in enumerate(zip(plotted, values, strict=True)):
        colour = _COLOURS[number % len(_COLOURS)]
        at = places - (number - (len(plotted) - 1) / 2) * height
        bars = axes.barh(at, of, height, color=colour, label=f.heading, xerr=_whiskers(f, shown), ecolor="#4a5568")
        axes.bar_label(bars, [f" {value:,.{f.digits}f}" if value else "" for value in of], padding=2, fontsize=8)
    axes.set_yticks(places, [s.contender for s in shown])
    axes.set_xlabel(suite.axis)
    positive = [value for of in values for value in of if value > 0]
    if positive and max(positive) > _FAR * min(positive):
        axes.set_xscale("log")
    axes.margins(x=0.15)
    if len(plotted) > 1:
        figure.legend(loc="outside upper center", ncols=len(plotted), frameon=False)
    return f"{suite.axis}, by contender"


def _whiskers(figure: Column, shown: Sequence[Summary]) -> list[list[float]] | None:
    """Lengths of the lower and upper part of each interval."""
    if not figure.interval:
        return None
    ends = [[s.figures.get(name, 0.0) for name in figure.names] for s in shown]
    return [[value - low for value, low, _ in ends], [high - value for value, _, high in ends]]


def _axes(figure: Figure) -> "mpl.axes.Axes":
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes
