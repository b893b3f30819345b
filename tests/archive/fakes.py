"""An archive in memory, whose calls can fail or kill."""

import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from archive.store import Versioned


class MemoryArchive:
    """Implements `archive.store.ArchiveStore`. `fault` runs before and after each write."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fault: Callable[[], None] = lambda: None

    def where(self, name: str) -> str:
        return f"memory:{name}"

    def names(self, prefix: str) -> Iterator[str]:
        yield from sorted(name for name in self.objects if name.startswith(prefix))

    def folders(self, folder: str) -> list[str]:
        below = (name.removeprefix(f"{folder}/") for name in self.names(f"{folder}/"))
        return sorted({name.partition("/")[0] for name in below if "/" in name})

    def read(self, name: str) -> Versioned | None:
        data = self.objects.get(name)
        return None if data is None else Versioned(data, hashlib.sha256(data).hexdigest())

    def fetch(self, name: str, to: BinaryIO) -> bool:
        if name not in self.objects:
            return False
        to.write(self.objects[name])
        return True

    def create(self, name: str, source: BinaryIO) -> bool:
        source.seek(0)
        return self._write(name, source.read(), absent=True)

    def replace(self, name: str, data: bytes, version: str) -> bool:
        found = self.read(name)
        return found is not None and found.version == version and self._write(name, data, absent=False)

    def _write(self, name: str, data: bytes, *, absent: bool) -> bool:
        self.fault()
        if absent and name in self.objects:
            return False
        self.objects[name] = data
        self.fault()
        return True
