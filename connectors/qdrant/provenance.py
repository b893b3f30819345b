"""Keeps an index's provenance in the index itself, in points that no search finds and no list of tickets contains.

Each looks like the tombstone of a chunk -1, so a version that doesn't know it ignores it too. As part of the
collection or shard, they are saved and restored together with the tickets, and are durable in the same order.
"""

import time
from collections.abc import Mapping
from typing import Final
from uuid import uuid4

import msgspec
from msgspec import Struct

from connectors.qdrant.engine import AnyOf, Engine, EngineReader, Upsert
from connectors.qdrant.layout import DELETED
from core.errors import FatalError
from core.identity import point_id
from core.payload import Payload
from core.provenance import LogIdentity, Offsets, Progress, Provenance
from core.records import Point

#: No tenant's id is empty, so no ticket has this head.
HEAD: Final = point_id("", "provenance", 0)
_CHUNK: Final = -1
_FIELDS: Final = ("version", "provenance")


class _Origin(Struct, frozen=True, tag_field="kind", tag="origin"):
    """Written once, when the index is created. Of several workers that create it, one is first."""

    index: str
    model: str
    created_ms: int
    adopted: bool = False
    replaces: str | None = None
    rebuilt: bool = False


class _Log(Struct, frozen=True, tag_field="kind", tag="log"):
    identity: LogIdentity


class _Settings(Struct, frozen=True, tag_field="kind", tag="settings"):
    values: Mapping[str, str]


class _Until(Struct, frozen=True, tag_field="kind", tag="until"):
    log: LogIdentity
    offsets: Offsets


class _Expired(Struct, frozen=True, tag_field="kind", tag="expired"):
    log: LogIdentity
    records: int


class _Finished(Struct, frozen=True, tag_field="kind", tag="finished"):
    """A rebuild has ended."""


class _Position(Struct, frozen=True, tag_field="kind", tag="position"):
    """The point's version is the offset."""

    log: LogIdentity
    partition: int


_Note = _Origin | _Log | _Settings | _Until | _Expired | _Finished | _Position
_DECODER: Final = msgspec.json.Decoder(_Note)


class ProvenanceReader:
    """Reads the provenance of an index."""

    def __init__(self, reader: EngineReader) -> None:
        self._reader = reader

    def read(self) -> Provenance | None:
        """The provenance; None if the index has none yet.

        Raises:
            TransientError: an outage.
            FatalError: a note was written by a later version.
        """
        return _assemble(self._notes())

    def count(self) -> int:
        """Number of the points that hold it."""
        return self._reader.count([AnyOf("head", (HEAD,))])

    def _notes(self) -> list[tuple[int, _Note]]:
        """Every note with its point's version."""
        found = self._reader.scan([AnyOf("head", (HEAD,))], fields=_FIELDS, majority=True)
        return [_decode(point.payload) for point in found]


class ProvenanceStore(ProvenanceReader):
    """Reads and writes the provenance of an index. Every write is durable on return."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._engine = engine

    def read(self) -> Provenance | None:
        """See `ProvenanceReader`.

        Raises:
            FatalError: the index's files were removed or replaced.
        """
        self._engine.require_in_place()
        return super().read()

    def create(self, *, model: str, adopted: bool, replaces: str | None = None, rebuilt: bool = False) -> Provenance:
        """Write the origin, unless another process was faster; return the one in the index.

        Args:
            model: stamp of the model of its vectors.
            adopted: whether the index already holds tickets.
            replaces: the index whose place it will take.
            rebuilt: whether it is unfinished until `finish` is called.
        """
        origin = _Origin(uuid4().hex, model, int(time.time() * 1000), adopted, replaces, rebuilt)
        # No version is below 0: an existing point stays.
        self._engine.write([Upsert([_point("origin", 0, origin)], below=0)], ordered=True)
        found = self.read()
        if found is None:
            raise FatalError("the index doesn't return what was written into it; check the state of its server")
        return found

    def note_log(self, log: LogIdentity) -> None:
        """Note a log that the index is written from, replacing an earlier one of the same topic."""
        self._replace(f"log/{log.topic}", _Log(log))

    def note_settings(self, values: Mapping[str, str]) -> None:
        """Note the settings of the workers that write the index."""
        self._replace("settings", _Settings(values))

    def note_until(self, log: LogIdentity, offsets: Offsets) -> None:
        """Note that the index lacks acked records until its positions reach `offsets`."""
        self._replace(f"until/{log.topic}", _Until(log, offsets))

    def note_expired(self, log: LogIdentity, records: int) -> None:
        """Note how many records of `log` were deleted before the group had read them."""
        self._replace(f"expired/{log.topic}", _Expired(log, records))

    def finish(self) -> None:
        """Note that a rebuild has ended."""
        self._engine.write([Upsert([_point("finished", 0, _Finished())], below=0)], ordered=True)

    def advance(self, log: LogIdentity, moves: Mapping[int, tuple[int, int]]) -> None:
        """Raise positions in `log`.

        Args:
            log: as in the provenance.
            moves: by partition, the last noted position and the new one. A stored position below the last noted one,
                as in a copy that was just restored, is not overwritten.
        """
        self._engine.write(
            [
                Upsert([_point(_position_name(log, partition), offset, _Position(log, partition))], offset, least=known)
                for partition, (known, offset) in moves.items()
            ],
            ordered=True,
        )

    def _replace(self, name: str, note: _Note) -> None:
        """Replace a note. Of two concurrent writers, one wins."""
        stored = self._reader.lookup([_id(name)], ["version"]).get(_id(name), {}).get("version", 0)
        version = 1 + (stored if isinstance(stored, int) else 0)
        self._engine.write([Upsert([_point(name, version, note)], below=version)], ordered=True)


def _assemble(notes: list[tuple[int, _Note]]) -> Provenance | None:
    by_kind: dict[type, _Note] = {type(note): note for _version, note in notes}
    origin, settings = by_kind.get(_Origin), by_kind.get(_Settings)
    if not isinstance(origin, _Origin):
        return None
    logs = sorted((note.identity for _version, note in notes if isinstance(note, _Log)), key=lambda log: log.topic)
    return Provenance(
        index=origin.index,
        model=origin.model,
        created_ms=origin.created_ms,
        adopted=origin.adopted,
        replaces=origin.replaces,
        finished=not origin.rebuilt or _Finished in by_kind,
        logs=tuple(_progress(log, notes) for log in logs),
        settings=settings.values if isinstance(settings, _Settings) else {},
    )


def _progress(log: LogIdentity, notes: list[tuple[int, _Note]]) -> Progress:
    positions = {n.partition: version for version, n in notes if isinstance(n, _Position) and n.log == log}
    until = next((note.offsets for _version, note in notes if isinstance(note, _Until) and note.log == log), {})
    expired = next((note.records for _version, note in notes if isinstance(note, _Expired) and note.log == log), 0)
    return Progress(log, positions, until, expired)


def _point(name: str, version: int, note: _Note) -> Point:
    payload: Payload = {
        "tenant_id": "",
        "ticket_id": "provenance",
        "head": HEAD,
        "version": version,
        "chunk": _CHUNK,
        "chunks": 0,
        "state": DELETED,
        "provenance": msgspec.json.encode(note).decode(),
    }
    return Point(_id(name), None, payload)


def _decode(payload: Mapping[str, object]) -> tuple[int, _Note]:
    version, text = payload.get("version"), payload.get("provenance")
    try:
        return msgspec.convert(version, int), _DECODER.decode(msgspec.convert(text, str))
    except msgspec.DecodeError:  # ValidationError is one
        raise FatalError(
            "the index has a note of its origin that this version can't read; use the version that wrote it"
        ) from None


def _position_name(log: LogIdentity, partition: int) -> str:
    return f"position/{log.cluster}/{log.topic}/{log.topic_id}/{partition}"


def _id(name: str) -> str:
    return point_id("", f"provenance/{name}", _CHUNK)
