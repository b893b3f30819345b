"""Every query of the stream's dashboard has an answer from a real Prometheus that scraped a real run."""

import json
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from msgspec import Struct

from synthetic.tickets import events
from tests.deploy.observability.files import DASHBOARDS, FOLDER, SERVICES, STREAM, Panel, alerts, as_asked, panels
from tests.deploy.observability.live import RATE_INTERVAL, Prometheus
from tests.deploy.observability.series import faults
from tests.e2e.world import WorkerProcess, World
from tests.rigs.qdrant_facade import FacadeProcess, Fault
from tests.rigs.waiting import wait_until

_RUN_S = 12.0
_PANELS = [pytest.param(panel, id=panel.title) for panel in panels(STREAM)]
_ALL = [pytest.param(panel, id=panel.title) for dashboard in DASHBOARDS for panel in panels(dashboard)]
_ROLE = "pipeline"


class Run(Struct, frozen=True):
    """A stream that was scraped while it ran."""

    prometheus: Prometheus
    began: float
    ended: float
    produced: int


@pytest.fixture(scope="module")
def run(tansu: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run of some seconds with good and broken tickets and a short outage of the index."""
    folder = tmp_path_factory.mktemp("dashboard")
    world = World(tansu, folder)
    with (
        FacadeProcess(folder / "qdrant") as qdrant,
        WorkerProcess(world, environment={"TICKETS_INDEX__URL": qdrant.url}) as worker,
        Prometheus(folder / "prometheus", {_ROLE: [worker.await_port()]}) as prometheus,
    ):
        wait_until(lambda: worker.metric("tickets_assigned_partitions") > 0, worker.output, every_s=0.1)
        qdrant.inject(Fault("error", on="writes", times=4, code="UNAVAILABLE"))
        began, seed = time.time(), 0
        while time.time() - began < _RUN_S:
            worker.assert_runs()
            seed += 1
            world.produce(events(50, seed=seed, broken=0.1, start_ms=int(time.time() * 1000) - 60_000))
            time.sleep(0.5)
        world.wait_committed([worker])
        wait_until(lambda: _shows(prometheus, world.produced), worker.output, every_s=0.2)
        yield Run(prometheus, began, time.time(), world.produced)
        assert worker.terminate() == 0, worker.output()


def _shows(prometheus: Prometheus, produced: int) -> bool:
    """Whether the last scrape saw all of the run."""
    acked, lag = (prometheus.now(f"sum({name})") for name in ("tickets_acked_total", "tickets_committed_lag"))
    return bool(acked and lag) and (float(acked[0]["value"][1]), float(lag[0]["value"][1])) == (produced, 0)


@pytest.mark.parametrize("panel", _PANELS)
def test_every_query_of_a_panel_has_an_answer(run: Run, panel: Panel) -> None:
    """Every query has a value at some time of the run, with every label that its legend names."""
    for query, legend in panel.queries:
        answer = run.prometheus.over(as_asked(query, interval=RATE_INTERVAL), run.began, run.ended)
        values = [float(value) for series in answer for _, value in series["values"]]
        assert [value for value in values if not math.isnan(value)], f"{query}: no value"
        for series in answer:
            assert set(re.findall(r"{{(\w+)}}", legend)) <= set(series["metric"]), f"{legend}: a label is missing"


@pytest.mark.parametrize("panel", _ALL)
def test_a_panel_uses_a_workers_metrics(panel: Panel) -> None:
    """Each name and label of its queries and legends is one that a worker exposes, and no two legends are alike."""
    asked = [(as_asked(query, interval=RATE_INTERVAL), legend) for query, legend in panel.queries]
    assert [fault for query, legend in asked for fault in faults(query, legend)] == []
    legends = [legend for _, legend in panel.queries]
    assert len(set(legends)) == len(legends)


def test_the_numbers_shown_are_those_of_the_run(run: Run) -> None:
    """Every produced record was read and acked, some as dead letters, and no lag is left."""

    def value(query: str) -> float:
        return float(run.prometheus.now(query)[0]["value"][1])

    assert value("sum(tickets_records_total)") == run.produced
    assert value("sum(tickets_acked_total)") == run.produced
    assert 0 < value('sum(tickets_acked_total{outcome="dead_letter"})') < run.produced / 5
    assert value("sum(tickets_committed_lag)") == 0
    assert value('sum(tickets_retries_total{dependency="index"})') >= 1


def test_prometheus_evaluates_every_alert(run: Run) -> None:
    """Prometheus has evaluated every alert on a worker's real series without an error."""
    assert run.prometheus.rules() == {rule["alert"] for _, rule in alerts()}


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.name)
def test_grafana_finds_the_dashboard_and_the_dashboard_its_source(file: Path) -> None:
    """The mounted folder is the provisioned one, and every panel uses the provisioned data source."""
    provisioning = FOLDER / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"][0]
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped, "rate intervals would be shorter than a scrape"
    dashboard = json.loads(file.read_text())
    asked = [dashboard, *dashboard["panels"], *dashboard["templating"]["list"], *dashboard["annotations"]["list"]]
    assert {part["datasource"]["uid"] for part in asked if "datasource" in part} == {source["uid"]}
    provider = yaml.safe_load((provisioning / "dashboards" / "ticketstream.yml").read_text())["providers"][0]
    grafana = yaml.safe_load((FOLDER.parent / "compose.yaml").read_text())["services"]["grafana"]
    assert f"./observability/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]


def test_a_title_names_one_panel() -> None:
    """No two panels have the same title, as the runbooks name panels by it; nor do two dashboards have the same id."""
    titles = [panel.title for dashboard in DASHBOARDS for panel in panels(dashboard)]
    assert len(set(titles)) == len(titles)
    assert len({json.loads(dashboard.read_text())["uid"] for dashboard in DASHBOARDS}) == len(DASHBOARDS)


def test_a_dashboard_shows_its_own_jobs() -> None:
    """The variable `job` has the roles of the stream in one dashboard, and the services in the other."""
    sizes = yaml.safe_load((FOLDER.parent / "sizes.yaml").read_text())
    for dashboard, names in ((STREAM, sizes["roles"]), (SERVICES, sizes["services"])):
        (variable,) = json.loads(dashboard.read_text())["templating"]["list"]
        assert variable["regex"].split("|") == list(names)


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.name)
def test_panels_do_not_overlap(file: Path) -> None:
    """No two panels overlap, and none exceeds Grafana's 24 columns."""
    found = list(panels(file))
    taken = [
        (column, row)
        for panel in found
        for column in range(panel.x, panel.x + panel.width)
        for row in range(panel.y, panel.y + panel.height)
    ]
    assert len(set(taken)) == len(taken)
    assert max(column for column, _ in taken) < 24
