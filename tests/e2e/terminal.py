"""Runs `ticketstream` as a process with a world's settings."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.e2e.world import World
from tests.rigs.waiting import PATIENCE_S

TICKETSTREAM = str(Path(sys.executable).with_name("ticketstream"))


class Terminal:
    """Runs commands with the world's settings."""

    def __init__(self, world: World, **environment: str) -> None:
        self._environment = world.environment(**environment)

    def run(self, *arguments: str, code: int = 0, given: bytes | None = None) -> str:
        """Run a command that should exit with `code`, and return its standard output."""
        return self._run(arguments, code, given).stdout.decode()

    def failure(self, *arguments: str, code: int) -> str:
        """Run a command that should exit with `code`, and return its standard error."""
        return self._run(arguments, code).stderr.decode()

    def _run(
        self, arguments: Sequence[str], code: int, given: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [TICKETSTREAM, *arguments],
            env=self._environment,
            input=given,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == code, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with `--json`, and return the decoded output."""
        return json.loads(self.run(*arguments, "--json", code=code))
