"""Nothing is reported to the maker of the inference engine."""

import os
import subprocess
import sys
import time
from pathlib import Path


def _left_behind(home: Path, module: str, *, within_s: float) -> list[str]:
    """What importing `module` leaves in an empty home folder: the engine's reporting keeps a queue and an id there.

    It reports nothing where it takes itself to be in continuous integration.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_", "CI"))}
    code = f"import {module}; print('imported', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**environment, "HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"imported\n"
        deadline = time.monotonic() + within_s
        while not (found := [str(p.relative_to(home)) for p in home.rglob("*") if "icrosoft" in str(p)]):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        process.kill()
    return found


def test_our_engine_keeps_no_queue_of_reports(tmp_path: Path) -> None:
    """Whichever module is imported first: the room's own import comes before."""
    assert _left_behind(tmp_path, "models.run.session", within_s=2) == []


def test_the_engine_alone_would(tmp_path: Path) -> None:
    """The mutant: without our word it begins to report."""
    assert _left_behind(tmp_path, "onnxruntime", within_s=30) != []
