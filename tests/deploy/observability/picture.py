"""Draws the dashboard of a demonstration run: `python -m tests.deploy.observability.picture FILE.png`.

It needs no Grafana: a real Prometheus answers the dashboard's queries, and each panel is drawn in its place. The run
has idle phases, a backlog, broken records, two workers, an outage of the index, and a worker that is killed.
"""

import argparse
import math
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from local.broker import start_broker
from synthetic.tickets import events
from tests.deploy.observability.files import STREAM, Panel, as_asked, panels
from tests.deploy.observability.live import RATE_INTERVAL, Prometheus, Series
from tests.e2e.world import WorkerProcess, World
from tests.rigs.qdrant_facade import FacadeProcess, Fault

_COLUMNS: Final = 24
_INCHES_A_COLUMN: Final = 0.62
_INCHES_A_ROW: Final = 0.36
_COLOURS: Final = ("#2b6cb0", "#dd6b20", "#38a169", "#805ad5", "#d53f8c", "#718096", "#319795", "#b7791f")
_TONES: Final = 64
#: Most entries of a legend; Grafana would scroll.
_LEGENDS: Final = 6
_MIB: Final = 1024.0**2
#: The real model, one thread for each of two workers.
_MODEL: Final = {"TICKETS_MODEL__NAME": "all-MiniLM-L6-v2", "TICKETS_MODEL__THREADS": "1"}


def main() -> None:
    """Run the stream, draw the dashboard, and print the picture's size."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.observability.picture")
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0, help="of the whole run")
    given = parser.parse_args()
    if shutil.which("prometheus") is None:
        sys.exit("prometheus is not installed: apt-get install prometheus")
    for name in [name for name in os.environ if name.startswith("TICKETS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder, start_broker() as broker, ExitStack() as running:
        world = World(broker.address, Path(folder), partitions=12)
        qdrant = running.enter_context(FacadeProcess(Path(folder) / "qdrant"))
        environment = _MODEL | {"TICKETS_INDEX__URL": qdrant.url}
        first = running.enter_context(WorkerProcess(world, environment=environment))
        second = running.enter_context(WorkerProcess(world, environment=environment))
        prometheus = running.enter_context(
            Prometheus(Path(folder) / "prometheus", {"pipeline": [first.await_port(), second.await_port()]})
        )
        began = time.time()
        _stream(world, qdrant, second, given.seconds)
        draw(prometheus, began, time.time(), given.file)
    print(f"{given.file}: {given.file.stat().st_size // 1024} KiB")


def _stream(world: World, qdrant: FacadeProcess, second: WorkerProcess, seconds: float) -> None:
    """Six phases: idle, a backlog, idle, an outage, idle, and one worker less."""
    sixth, seed = seconds / 6, 0

    def trickle() -> None:
        nonlocal seed
        until = time.time() + sixth
        while time.time() < until:
            seed += 1
            _produce(world, 30, seed)
            time.sleep(0.25)

    trickle()
    _produce(world, 6_000, 1_000)
    trickle()
    trickle()
    qdrant.inject(Fault("error", on="writes", code="UNAVAILABLE"))
    trickle()
    qdrant.heal()
    trickle()
    second.kill()
    trickle()


def _produce(world: World, count: int, seed: int) -> None:
    """Produce tickets up to now; synthetic tickets change a second after each other."""
    world.produce(events(count, seed=seed, broken=0.02, start_ms=int(time.time() * 1000) - count * 1_000))


def draw(prometheus: Prometheus, began: float, ended: float, file: Path) -> None:
    """Draw every panel in its place of the dashboard."""
    found = list(panels(STREAM))
    height = max(panel.y + panel.height for panel in found)
    figure = Figure(figsize=(_COLUMNS * _INCHES_A_COLUMN, height * _INCHES_A_ROW), facecolor="#f7fafc")
    for panel in found:
        left, width = (panel.x + 0.9) / _COLUMNS, (panel.width - 1.2) / _COLUMNS
        axes_height = (panel.height - (2.6 if panel.kind == "timeseries" else 1.2)) / height
        bottom = 1 - (panel.y + panel.height - (1.6 if panel.kind == "timeseries" else 0.2)) / height
        axes = figure.add_axes((left, bottom, width, axes_height), facecolor="white")
        axes.set_title(panel.title, loc="left", fontsize=9, fontweight="bold", color="#2d3748")
        drawer = {"timeseries": _lines, "stat": _number, "table": _table}[panel.kind]
        drawer(axes, panel, prometheus, (began, ended))
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=80)
    Image.open(file).convert("RGB").quantize(_TONES).save(file, optimize=True)


def _lines(axes: Axes, panel: Panel, prometheus: Prometheus, span: tuple[float, float]) -> None:
    drawn: list[tuple[str, list[float], list[float]]] = []
    for query, legend in panel.queries:
        for series in prometheus.over(as_asked(query, interval=RATE_INTERVAL), *span):
            times = [float(at) - span[0] for at, _ in series["values"]]
            drawn.append((_named(legend, series), times, [float(value) for _, value in series["values"]]))
    scale, unit = _scale(panel.unit)
    ground: dict[float, float] = {}
    for number, (name, times, values) in enumerate(sorted(drawn)):
        colour = _COLOURS[number % len(_COLOURS)]
        heights = [value / scale for value in values]
        if panel.stacked:
            bottoms = [ground.get(at, 0.0) for at in times]
            heights = [low + (0.0 if math.isnan(high) else high) for low, high in zip(bottoms, heights, strict=True)]
            ground |= dict(zip(times, heights, strict=True))
            axes.fill_between(times, bottoms, heights, color=colour, alpha=0.5, linewidth=0, label=name)
        else:
            axes.plot(times, heights, color=colour, linewidth=1.1, label=name)
    axes.set_xlim(0, span[1] - span[0])
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7, colors="#4a5568")
    axes.grid(color="#edf2f7", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.text(1, 1.04, unit, transform=axes.transAxes, ha="right", fontsize=7, color="#718096")
    if drawn:
        handles, names = axes.get_legend_handles_labels()
        axes.legend(
            handles[:_LEGENDS],
            names[:_LEGENDS],
            loc="upper left",
            bbox_to_anchor=(0, -0.1),
            ncols=2,
            fontsize=6,
            frameon=False,
        )


def _number(axes: Axes, panel: Panel, prometheus: Prometheus, _span: tuple[float, float]) -> None:
    answer = prometheus.now(as_asked(panel.queries[0][0], interval=RATE_INTERVAL))
    value = float(answer[0]["value"][1]) if answer else math.nan
    axes.set_axis_off()
    text = f"{value:,.2f} s" if panel.unit == "s" else panel.texts.get(f"{value:.0f}", f"{value:,.0f}")
    axes.text(0.5, 0.4, text, ha="center", va="center", fontsize=20, color="#2b6cb0")


def _table(axes: Axes, panel: Panel, prometheus: Prometheus, _span: tuple[float, float]) -> None:
    columns = ["job", "instance", "version", "model", "contract"]
    answer = prometheus.now(as_asked(panel.queries[0][0], interval=RATE_INTERVAL))
    rows = [[str(series["metric"].get(name, "")) for name in columns] for series in answer]
    axes.set_axis_off()
    table = axes.table(rows or [[""] * len(columns)], colLabels=columns, loc="upper center", cellLoc="left")
    table.set_fontsize(8)


def _named(legend: str, series: Series) -> str:
    metric: dict[str, Any] = series["metric"]
    fill: Callable[[re.Match[str]], str] = lambda found: str(metric.get(found[1], ""))  # noqa: E731 - it has a type so
    return re.sub(r"{{(\w+)}}", fill, legend)


def _scale(unit: str) -> tuple[float, str]:
    return {"s": (1.0, "seconds"), "bytes": (_MIB, "MiB"), "cps": (1.0, "a second")}.get(unit, (1.0, ""))


if __name__ == "__main__":
    main()
