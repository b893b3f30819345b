"""Fetches Kafka's jars from Maven Central into the user's cache, and builds the command that runs them."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import pytest

_POM: Final = Path(__file__).with_name("pom.xml")
VERSION: Final = "4.1.1"


def jars() -> Path:
    """The folder of Kafka's jars, which are fetched if they are missing.

    Skips the test with a reason if Java or Maven is missing or the jars can't be fetched; fails in CI.
    """
    if shutil.which("java") is None:
        _missing("there is no java")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticketstream-tests"
    folder = cache / f"kafka-{VERSION}-tools"
    with folder_lock(cache):
        if not folder.exists():
            _fetch(folder)
    return folder


def java(heap_mb: int, *options: str) -> list[str]:
    """The java command with Kafka's class path, without the main class."""
    # The brokers are short-lived: with the C1 compiler only, three start in two thirds of the time.
    quick = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    path = ":".join(sorted(str(jar) for jar in jars().glob("*.jar")))
    return ["java", f"-Xmx{heap_mb}m", *quick, *options, "-cp", path]


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """A lock between processes that write to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> None:
    if shutil.which("mvn") is None:
        _missing("there is no mvn to fetch Kafka's jars with")
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    command = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={draft}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0 or not list(draft.glob("kafka_*.jar")):
        shutil.rmtree(draft)
        _missing(f"Kafka's jars can't be fetched: {(done.stdout.strip().splitlines() or ['mvn gives no reason'])[0]}")
    draft.rename(folder)


def _missing(why: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"Apache Kafka is required in CI, and {why}")
    pytest.skip(f"no Apache Kafka: {why}")
