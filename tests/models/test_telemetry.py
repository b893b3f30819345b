"""ONNX Runtime sends no telemetry."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.rigs.waiting import PATIENCE_S


def _left_behind(home: Path, module: str, *, within_s: float) -> list[str]:
    """The files that importing `module` leaves in an empty home folder, where the telemetry keeps its queue and an id.

    The telemetry is off in continuous integration, so variables that point to it are removed.
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


def test_importing_our_module_starts_no_telemetry(tmp_path: Path) -> None:
    """Every module of models imports the package first, which switches the telemetry off."""
    assert _left_behind(tmp_path, "models.run.session", within_s=2) == []


def test_importing_onnx_runtime_starts_telemetry(tmp_path: Path) -> None:
    """Without our switch the telemetry starts, so the test above can fail."""
    assert _left_behind(tmp_path, "onnxruntime", within_s=PATIENCE_S) != []
