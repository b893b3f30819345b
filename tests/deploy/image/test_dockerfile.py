"""The Dockerfile and its build context, without a build."""

import http.server
import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Final

import pytest

from local.ports import free_port
from tests.deploy.tools import ROOT
from tests.rigs.waiting import PATIENCE_S

_FOLDER: Final = ROOT / "deploy" / "docker"
_TEXT: Final = (_FOLDER / "Dockerfile").read_text().replace("\\\n", " ")
_INSTALL: Final = (_FOLDER / "install.sh").read_text()
_IGNORE: Final = (_FOLDER / "Dockerfile.dockerignore").read_text().splitlines()


def _stages() -> dict[str, tuple[str, list[str]]]:
    """The base and the instructions of each build stage."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in _TEXT.splitlines():
        stage = re.fullmatch(r"FROM (\S+) AS (\S+)", line)
        if stage:
            instructions: list[str] = []
            found[stage[2]] = (stage[1], instructions)
        elif found and line and not line.startswith("#"):
            instructions.append(line)
    return found


def _of(name: str) -> list[str]:
    """The instructions of the stage `name`, after those that it inherits."""
    source, instructions = _stages()[name]
    return (_of(source) if source in _stages() else []) + instructions


@pytest.mark.parametrize("target", ["pipeline", "pipeline-gpu"])
def test_a_target_installs_nothing(target: str) -> None:
    """A target has a numeric user and exec-form commands, and copies its packages instead of installing them."""
    made = _of(target)
    assert "USER 10001:10001" in made
    entry = next(line for line in made if line.startswith("ENTRYPOINT "))
    assert json.loads(entry.removeprefix("ENTRYPOINT ")) == ["python", "-m", "bytewax.run"]
    check = next(line for line in made if line.startswith("HEALTHCHECK "))
    assert json.loads(check.partition(" CMD ")[2]) == ["python", "/opt/health.py"]
    assert not [
        line for line in made if line.startswith("RUN") and re.search(r"\b(pip install|apt-get|install\.sh)\b", line)
    ]
    copied = {line.split()[1] for line in made if line.startswith("COPY --from")}
    assert copied == {"--from=packages" + ("-gpu" if "gpu" in target else ""), "--from=model"}
    labels = "".join(line for line in made if line.startswith("LABEL"))
    for label in ("title", "description", "licenses", "version", "revision", "created"):
        assert f"org.opencontainers.image.{label}=" in labels
    assert [line for line in made if line.startswith("ENV") and "ORT_DISABLE_TELEMETRY=1" in line]
    assert [line for line in made if line.startswith("ENV") and "TICKETS_MODEL__PRECISION=${PRECISION}" in line]


def test_the_base_is_pinned() -> None:
    """The base is the official slim image of one patch release of Python 3.11."""
    assert re.search(r"^ARG BASE=python:3\.11\.\d+-slim-bookworm$", _TEXT, re.MULTILINE)
    assert "@sha256:<digest>" in _TEXT
    assert {source for source, _ in _stages().values() if source == "${BASE}"}
    assert {source for source, _ in _stages().values()} - set(_stages()) == {"${BASE}", "scratch", "model-${MODEL}"}


def test_packages_come_by_hash_and_as_wheels() -> None:
    """Packages come from the hashed lock, as wheels, without a cache."""
    assert "--require-hashes" in _INSTALL
    assert "--only-binary=:all:" in _INSTALL
    assert _INSTALL.count("pip install") == _INSTALL.count("--no-cache-dir")
    for stage, lock in (("packages", "requirements/run.txt"), ("packages-gpu", "requirements/gpu.txt")):
        assert any(line.endswith(f"install.sh lock {lock}") for line in _stages()[stage][1])
        assert (ROOT / lock).is_file()


def test_no_package_host_is_named() -> None:
    """The Dockerfile names no package index; a secret does."""
    for text in (_TEXT, _INSTALL):
        assert not re.search(r"https?://(?!127\.0\.0\.1)", text)
        assert "index-url" not in text
    assert _TEXT.count("--mount=type=secret,id=pip") == 3


def test_everything_that_is_installed_is_sent_to_the_build() -> None:
    """The build context has every package of pyproject.toml, and no tests, benchmarks or history."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert _IGNORE[1] == "*"
    sent = {line[1:] for line in _IGNORE if line.startswith("!")}
    assert packages - {"deploy"} <= sent
    for pattern in project["tool"]["setuptools"]["package-data"]["deploy"]:
        file = next((ROOT / "deploy").glob(pattern))
        assert any(fnmatch(str(file.relative_to(ROOT)), f"{name}*") for name in sent), pattern
    assert {"deploy/__init__.py", "pyproject.toml", "README.md", "LICENSE", "requirements"} <= sent
    assert not sent & {"tests", "bench", "docs", "deploy", ".git"}
    for name in sent:
        assert (ROOT / name).exists(), name


@contextmanager
def _answering(code: int) -> Iterator[str]:
    """A server that answers /health with `code`, and any other path with 404."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code if self.path == "/health" else 404)
            self.end_headers()
            self.wfile.write(b'{"reason":"no poll for 61 s"}')

        def log_message(self, *_args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_port)
        server.shutdown()


def _health(port: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(_FOLDER / "health.py")]
    environment = {"TICKETS_HEALTH__PORT": port, "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_every_package_of_the_product_is_installed() -> None:
    """The packages that import-linter watches are installed, but for the benchmarks; deploy/ and web/ are files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    installed = {name.rstrip("*") for name in project["setuptools"]["packages"]["find"]["include"]}
    assert installed - {"deploy", "web"} == {*project["importlinter"]["root_packages"]} - {"bench"}


def test_the_health_check_exits_with_0_only_for_200() -> None:
    """The health check, also behind a proxy, exits with 0 for 200, and with 1 for 503 and without an answer."""
    with _answering(200) as port:
        assert _health(port).returncode == 0
    with _answering(503) as port:
        done = _health(port)
        assert (done.returncode, "no poll for 61 s" in done.stderr) == (1, True)
    done = _health(str(free_port()))
    assert (done.returncode, "no answer" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr
