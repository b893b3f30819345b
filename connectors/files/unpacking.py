"""Reads the content of a file that may still grow, and may be packed with gzip in any number of members."""

import hashlib
import zlib
from typing import Final

from core.errors import ConfigError
from core.producing import HEAD_BYTES, RawFile

_MAGIC: Final = b"\x1f\x8b"
#: Makes zlib read the gzip header and verify the checksum.
_GZIP: Final = 16 + zlib.MAX_WBITS
CHUNK: Final = 256 * 1024


class Content:
    """The content of an open file. At most a chunk is in memory, whatever the file unpacks to."""

    def __init__(self, raw: RawFile, name: str) -> None:
        self._raw = raw
        self._name = name
        self._packed: bool | None = None
        self._inflate = zlib.decompressobj(_GZIP)
        self._input = b""
        self._head = b""

    @property
    def whole(self) -> bool:
        """Whether the bytes so far may be a complete file: a packed file doesn't end within a gzip member."""
        return not self._packed or (self._inflate.eof and not self._input)

    @property
    def head(self) -> str:
        """Digest of the first `HEAD_BYTES`, or empty if there are fewer."""
        return digest_of(self._head) if len(self._head) == HEAD_BYTES else ""

    def read(self) -> bytes:
        """The next bytes; empty at the current end of the file.

        Raises:
            TransientError: the file can't be read for now.
            ConfigError: the file is packed and damaged.
        """
        data = self._next()
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        return data

    def _next(self) -> bytes:
        if self._packed is None:
            self._input += self._raw.read(CHUNK)
            if len(self._input) < len(_MAGIC) and not self._raw.finished:
                return b""
            self._packed = self._input.startswith(_MAGIC)
            if not self._packed:
                data, self._input = self._input, b""
                return data
        return self._unpack() if self._packed else self._raw.read(CHUNK)

    def _unpack(self) -> bytes:
        while True:
            self._input = self._input or self._raw.read(CHUNK)
            if self._inflate.eof:
                self._input = self._input.lstrip(b"\0")  # padding between members
            if not self._input:
                return b""
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(_GZIP)
            try:
                data = self._inflate.decompress(self._input, CHUNK)
            except zlib.error as error:
                raise ConfigError(f"{self._name}: the gzip data is damaged ({error}); write the file again") from None
            self._input = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if data:
                return data


def digest_of(data: bytes) -> str:
    """Digest of a content."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()
