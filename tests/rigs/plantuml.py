"""Draws diagrams with PlantUML, which Maven fetches into the user's cache."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

from tests.rigs.kafka.jars import folder_lock

VERSION: Final = "1.2026.2"
_PATIENCE_S: Final = 600


def draw(source: str) -> bytes:
    """The diagram as SVG.

    Skips the test with a reason if Java or Maven is missing or the jar can't be fetched.
    """
    command = [
        "java",
        "-Djava.awt.headless=true",
        "-jar",
        str(_jar()),
        "-tsvg",
        "-pipe",
        "-failfast2",
        "-charset",
        "UTF-8",
    ]
    done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=_PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


def _jar() -> Path:
    if shutil.which("java") is None:
        pytest.skip("no PlantUML: there is no java")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticketstream-tests"
    folder = cache / f"plantuml-{VERSION}"
    with folder_lock(cache):
        if not folder.exists():
            _fetch(folder)
    return folder / f"plantuml-{VERSION}.jar"


def _fetch(folder: Path) -> None:
    if shutil.which("mvn") is None:
        pytest.skip("no PlantUML: there is no mvn to fetch it with")
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact=net.sourceforge.plantuml:plantuml:{VERSION}"]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={draft}"], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
    if not list(draft.glob("plantuml-*.jar")):
        shutil.rmtree(draft)
        reason = (done.stdout.strip().splitlines() or ["mvn gives no reason"])[0]
        pytest.skip(f"no PlantUML: it can't be fetched: {reason}")
    draft.rename(folder)
