"""Nothing is reported to the maker of the inference engine."""

import os
import subprocess
import sys
from pathlib import Path


def _left_behind(home: Path, module: str) -> list[str]:
    """What importing `module` leaves in an empty home folder: the engine's reporting keeps a queue and an id there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    code = f"import {module}, time; time.sleep(1)"
    subprocess.run([sys.executable, "-c", code], env={**environment, "HOME": str(home)}, check=True, timeout=60)
    return [str(path.relative_to(home)) for path in home.rglob("*") if "icrosoft" in str(path)]


def test_our_engine_keeps_no_queue_of_reports(tmp_path: Path) -> None:
    """Whichever module is imported first: the room's own import comes before."""
    assert _left_behind(tmp_path, "models.session") == []


def test_the_engine_alone_would(tmp_path: Path) -> None:
    """The mutant: without our word it begins to report."""
    assert _left_behind(tmp_path, "onnxruntime") != []
