"""A customer directory that a file breaks from outside."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from connectors.files.customers import load_customers
from core.errors import TransientError
from core.protocols import CustomerDirectory
from stream import plan

State = Literal["", "down", "hangs"]


def set_state(path: Path, state: State) -> None:
    """Write the state atomically."""
    new = path.with_suffix(".new")
    new.write_text(state)
    new.replace(path)


class _Breakable:
    """Implements `core.protocols.CustomerDirectory`. Without a state file it works."""

    def __init__(self, inner: CustomerDirectory, path: Path) -> None:
        self._inner = inner
        self._path = path

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """See `CustomerDirectory`."""
        while self._state() == "hangs":
            time.sleep(0.05)
        if self._state() == "down":
            raise TransientError("the directory is out")
        return self._inner.lookup(tenant_id, customer_id)

    def _state(self) -> str:
        return self._path.read_text() if self._path.exists() else ""


def break_customers(path: Path) -> None:
    """Let the file `path` set the state of the directory in this process."""
    module: Any = plan
    module.load_customers = lambda file: _Breakable(load_customers(file), path)
