"""Acts out compose files without Docker: a service's settings and command, with addresses on this machine."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from connectors.kafka.producer import Outgoing, open_sender
from core.settings import KafkaSettings
from synthetic.tickets import events
from tests.deploy.compose.project import FILE, Service
from tests.deploy.tools import ROOT
from tests.rigs.guard import guard
from tests.rigs.waiting import PATIENCE_S

_SIZES: Final[dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "sizes.yaml").read_text())
TICKETS: Final = 100
SCRIPT: Final = FILE.with_name("secure.sh")

#: Addresses and files on this machine by those in the containers.
Addresses = dict[str, str]


class Secrets(Struct):
    """The results of `SCRIPT`: its folder, and its two files of variables."""

    folder: Path
    passwords: dict[str, str]
    client: dict[str, str]


def make_secrets(folder: Path) -> Secrets:
    """Run the script, which creates `folder`."""
    done = subprocess.run([SCRIPT, folder], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return Secrets(folder, _variables(folder / "passwords.env"), _variables(folder / "client.env"))


def _variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def properties(environment: dict[str, str]) -> dict[str, str]:
    """The server.properties that Kafka's image makes from its environment."""
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment.items()
        if name != "KAFKA_HEAP_OPTS"
    }


def here(text: str, addresses: Addresses) -> str:
    """`text` with addresses on this machine in place of the containers'."""
    for name, address in addresses.items():
        text = text.replace(name, address)
    return text


def environment_of(service: Service, addresses: Addresses) -> dict[str, str]:
    return {"PATH": str(Path(sys.executable).parent), "TICKETS_MODEL__NAME": "hashing"} | {
        name: here(value or "", addresses) for name, value in service["environment"].items()
    }


def make_topics(service: Service, addresses: Addresses) -> None:
    command = [str(Path(sys.executable).with_name(service["entrypoint"][0])), *service["command"]]
    environment = environment_of(service, addresses)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr


class Worker:
    """A process of our image: its entry point, or the service's own, with the service's command."""

    def __init__(
        self, service: Service, addresses: Addresses, port: str, log: Path, *, settings: Mapping[str, str] | None = None
    ) -> None:
        environment = environment_of(service, addresses) | dict(settings or {"TICKETS_HEALTH__PORT": port})
        # Only a service has an entry point of its own.
        command = [sys.executable, "-m", *([] if "entrypoint" in service else ["bytewax.run"]), *service["command"]]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT
            )
        self._guard = guard(self._process.pid)

    def __enter__(self) -> "subprocess.Popen[bytes]":
        return self._process

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._guard.kill()
        self._guard.communicate()


def wait_ready(port: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{_SIZES['health']['ready']}", timeout=PATIENCE_S).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        else:
            return


def produce(kafka: KafkaSettings) -> None:
    """Write `TICKETS` tickets."""
    sender = open_sender(kafka)
    made = events(TICKETS, edits=0, deletes=0, duplicates=0)
    sender.send([Outgoing("tickets.raw", record.key, record.value, record.headers) for record in made])
    sender.close()
