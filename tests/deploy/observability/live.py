"""A real Prometheus with the shipped configuration, scraping real workers on this machine."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import yaml

from local.ports import free_port
from tests.deploy.observability.files import FOLDER
from tests.deploy.tools import tool
from tests.rigs.guard import guard
from tests.rigs.waiting import PATIENCE_S

#: The configuration has fifteen seconds.
SCRAPE_S: Final = 1
#: At least four scrapes, as in Grafana, and more, because a scrape may be late here.
RATE_INTERVAL: Final = "8s"

Series = dict[str, Any]


class Prometheus:
    """A Prometheus process until the end of its `with`; only addresses and intervals differ from the shipped files."""

    def __init__(self, folder: Path, ports: Mapping[str, Sequence[str]]) -> None:
        """Scrape the workers of each job at `ports` on loopback."""
        program = tool("prometheus", package="prometheus")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(ports)))
        self._url = f"http://127.0.0.1:{free_port()}"
        self._log = folder / "log"
        command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        command += [f"--web.listen-address={self._url.removeprefix('http://')}", "--log.level=warn"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._guard = guard(self._process.pid)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                urllib.request.urlopen(f"{self._url}/-/ready", timeout=1).close()
            except OSError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.1)
            else:
                return self

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._guard.kill()
        self._guard.wait()
        if self._guard.stdin is not None:
            self._guard.stdin.close()

    def now(self, query: str) -> list[Series]:
        """The instant vector of `query` now: labels in `metric`, time and value in `value`."""
        return self._ask("query", query=query)

    def over(self, query: str, start: float, end: float, step: float = SCRAPE_S) -> list[Series]:
        """The range vector of `query`: labels in `metric`, times and values in `values`."""
        return self._ask("query_range", query=query, start=start, end=end, step=step)

    def rules(self) -> set[str]:
        """Names of the alerts that it has evaluated without an error."""
        with urllib.request.urlopen(f"{self._url}/api/v1/rules", timeout=PATIENCE_S) as answer:
            groups = json.load(answer)["data"]["groups"]
        return {rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "ok"}

    def _ask(self, what: str, **parameters: object) -> list[Series]:
        url = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                found: list[Series] = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters['query']}: {error.read().decode()}") from None
        return found


def _configuration(ports: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    shipped: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    names = {job["job_name"] for job in shipped["scrape_configs"]}
    assert set(ports) <= names, f"jobs are {names}"
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in found]}]}
        for name, found in ports.items()
    ]
    intervals = {"scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": f"{SCRAPE_S}s", "evaluation_interval": "1s"}
    return shipped | {
        "global": intervals,
        "rule_files": [str(FOLDER / pattern) for pattern in shipped["rule_files"]],
        "scrape_configs": jobs,
    }
