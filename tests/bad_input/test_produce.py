"""Every line of files with bad lines is written, refused or dead-lettered as expected, through command and worker.

TICKETS_TEST_BAD_RECORDS sets the number of lines, TICKETS_TEST_BAD_SEED the seed.
"""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import pytest
from typer.main import get_command

from cli import produce
from cli.main import app
from connectors.files.events import read_csv, read_jsonl
from connectors.kafka.producer import Outgoing, open_sender
from core.errors import ConfigError
from core.records import Record
from tests.bad_input.files import HEADER, MAPPING, Line, jsonl, numbered, rows
from tests.bad_input.generator import hit
from tests.bad_input.letters import check_letters
from tests.e2e.terminal import Terminal
from tests.e2e.world import WorkerProcess, World

COUNT: Final = int(os.environ.get("TICKETS_TEST_BAD_RECORDS", "4000"))
SEED: Final = int(os.environ.get("TICKETS_TEST_BAD_SEED", "20260105"))
#: Lines of a file. A longer run has more files, so that one at a time is in memory.
_FILE: Final = 10_000
#: Built once, because typer would rebuild all commands for every run.
_COMMAND: Final = get_command(app)
_REFUSED: Final = re.compile(r"ticketstream: standard input:(\d+): .*; (\d+) records were written before")


class Format(msgspec.Struct, frozen=True):
    """A file format: its first line, options of the command, generator, and share of all lines in percent."""

    head: bytes
    arguments: Sequence[str]
    make: Callable[..., list[Line]]
    share: int


JSONL: Final = Format(b"\n", (), jsonl, 40)  # no header: a byte order mark on the first line would be ignored
CSV: Final = Format(HEADER, ("--csv", *(word for pair in MAPPING for word in ("--map", pair))), rows, 60)


def written(world: World, lines: Sequence[Line], kind: Format) -> list[Line]:
    """Produce the file, continuing after each refused line with the rest, and return the written lines.

    Raises:
        AssertionError: a line was refused or written against its verdict, the message named a wrong line, or it was not
            one line without the file's text.
    """
    with pytest.MonkeyPatch.context() as patch, _kept_open(world) as sender:
        patch.setattr(produce, "open_sender", lambda _settings, _stack: sender)
        patch.setattr(produce, "open_cluster", lambda _settings: world.cluster)
        return list(_produce_in_pieces(world, lines, kind))


def _produce_in_pieces(world: World, lines: Sequence[Line], kind: Format) -> Iterator[Line]:
    left = list(lines)
    while left:
        code, said = _run(world, kind.head + b"\n".join(line.content for line in left) + b"\n", kind.arguments)
        assert not hit(said), said
        if code == 0:
            named = len(left)
        else:
            found = _REFUSED.fullmatch(said.strip())
            assert (code, found is not None) == (2, True), said
            assert found is not None  # for mypy
            at = {last: index for index, (last, _) in enumerate(numbered(left, after=1))}
            named = at[int(found[1])]
            assert left[named].verdict in ("refused", "either"), f"refused: {left[named].content[:300]!r}"
            assert int(found[2]) == sum(line.verdict != "blank" for line in left[:named]), said
        passed = left[:named]
        assert all(line.verdict != "refused" for line in passed), "an invalid line was written"
        yield from (line for line in passed if line.verdict != "blank")
        left = left[named + 1 :]


@contextmanager
def _kept_open(world: World) -> Iterator[Any]:
    """Share one producer between all runs of the command, because opening one takes half a second."""
    sender = open_sender(world.settings.kafka)
    yield SimpleNamespace(send=sender.send, close=lambda: None)
    sender.close()


def _run(world: World, content: bytes, arguments: Sequence[str]) -> tuple[int, str]:
    """Run the command in this process, and return its exit code and standard error."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        patch.setenv("TICKETS_KAFKA__BROKERS", world.settings.kafka.brokers)
        patch.setenv("TICKETS_TOPICS__RAW", world.settings.topics.raw)
        with pytest.raises(SystemExit) as ended:
            _COMMAND(["produce", "-", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.getvalue()


def _check_log(world: World, wanted: Sequence[Line], kind: Format) -> list[Record]:
    """Check that the topic holds each line once, in order, under the key of its ids; return its records."""
    log = world.log()
    assert len(log) == len(wanted)
    for record, line in zip(log, wanted, strict=True):
        assert line.key in (None, record.key)
        if kind is JSONL:
            assert record.value == line.content.strip()
    return log


def _files(count: int) -> Iterator[int]:
    """Sizes of the files for `count` lines."""
    yield from [_FILE] * (count // _FILE)
    if count % _FILE:
        yield count % _FILE


@pytest.mark.parametrize("kind", [JSONL, CSV], ids=["jsonl", "csv"])
def test_each_line_of_a_file_is_written_refused_or_dead_lettered(kind: Format, tansu: str, tmp_path: Path) -> None:
    """Valid lines are indexed and invalid ones are not, regardless of their neighbours; no text is shown or logged."""
    for number, size in enumerate(_files(COUNT * kind.share // 100)):
        lines = kind.make(size, seed=SEED + number)
        cut = World(tansu, tmp_path / f"cut-{number}", partitions=1)
        taken = written(cut, lines, kind)
        _check_log(cut, taken, kind)
        whole = World(tansu, tmp_path / f"whole-{number}", partitions=1)
        _at_once(whole, lines, taken, kind)
        log = _check_log(whole, taken, kind)
        with WorkerProcess(whole) as worker:
            whole.wait_committed([worker])
            assert worker.terminate() == 0, worker.output()
            assert not hit(worker.output())
        letters = check_letters(whole, log)
        refused = sum(line.verdict == "refused" for line in lines)
        blank = sum(line.verdict == "blank" for line in lines)
        passed = f"{len(taken):,} written, {letters:,} of them dead-lettered"
        print(f"{size:,} lines: {passed}, {size - len(taken) - blank:,} refused, {blank:,} blank")
        assert len(taken) > size // 3, "with bad lines only, a command that refuses everything would pass"
        assert refused > size // 50


def _at_once(world: World, lines: Sequence[Line], taken: Sequence[Line], kind: Format) -> None:
    """Run the command as a process on the lines up to the first refused one (exit 2), then on the other valid lines."""
    world.folder.mkdir(exist_ok=True)
    file, terminal = world.folder / "tickets.txt", Terminal(world)
    first = next(index for index, line in enumerate(lines) if line.verdict == "refused")
    early = [line for line in lines[:first] if line in taken]
    file.write_bytes(kind.head + b"\n".join(line.content for line in (*early, lines[first])) + b"\n")
    terminal.run("produce", str(file), *kind.arguments, code=2)
    rest = taken[len(early) :]
    file.write_bytes(kind.head + b"\n".join(line.content for line in rest) + b"\n")
    assert terminal.json("produce", str(file), *kind.arguments)["records"] == len(rest)
    world.produced = len(taken)


# --- commands that are broken on purpose

Reader = Callable[..., Iterator[Outgoing]]


def _drops_one(source: Any, **how: Any) -> Iterator[Outgoing]:
    yield from (record for number, record in enumerate(read_jsonl(source, **how)) if number != 1)


def _passes_over(source: Any, *, topic: str, name: str) -> Iterator[Outgoing]:
    """Mutant: skips refused lines silently."""
    for line in source:
        try:
            yield from read_jsonl(io.BytesIO(b"\n" + line), topic=topic, name=name)
        except ConfigError:
            continue


def _makes_a_key(source: Any, *, topic: str, name: str) -> Iterator[Outgoing]:
    """Mutant: derives a key from any line."""
    for line in source:
        if line.strip():
            try:
                yield from read_jsonl(io.BytesIO(b"\n" + line), topic=topic, name=name)
            except ConfigError:
                yield Outgoing(topic, b"acme/unknown", line.strip())


def _counts_from_nought(source: Any, *, topic: str, name: str) -> Iterator[Outgoing]:
    try:
        yield from read_jsonl(source, topic=topic, name=name)
    except ConfigError as error:
        raise ConfigError(re.sub(r":(\d+):", lambda found: f":{int(found[1]) - 1}:", str(error), count=1)) from None


def _quotes(source: Any, *, topic: str, name: str) -> Iterator[Outgoing]:
    lines = source.readlines()
    try:
        yield from read_jsonl(io.BytesIO(b"".join(lines)), topic=topic, name=name)
    except ConfigError as error:
        number = int(re.findall(r":(\d+):", str(error))[0])
        raise ConfigError(f"{error}: {lines[number - 1].decode(errors='replace').strip()}") from None


def _loses_a_slice(source: Any, **how: Any) -> Iterator[Outgoing]:
    """Mutant: drops the lines that were read together with a refused one."""
    records = read_jsonl(source, **how)
    while batch := list(islice(records, 50)):
        yield from batch


MUTANTS: Final[dict[str, Reader]] = {
    "drops a line": _drops_one,
    "passes over a refused line": _passes_over,
    "makes a key for any line": _makes_a_key,
    "counts from nought": _counts_from_nought,
    "quotes the line": _quotes,
    "loses what was read with the refused line": _loses_a_slice,
}


def _produced_soundly(broker: str, folder: Path) -> None:
    world = World(broker, folder, partitions=1)
    _check_log(world, written(world, jsonl(300, seed=SEED), JSONL), JSONL)


def test_the_sound_command_passes_where_mutants_fail(tansu: str, tmp_path: Path) -> None:
    """The real command passes the checks that the mutants fail."""
    _produced_soundly(tansu, tmp_path)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_command_is_caught(monkeypatch: pytest.MonkeyPatch, tansu: str, tmp_path: Path, mutant: str) -> None:
    """Each mutant fails a check of the line number, the message or the topic."""
    monkeypatch.setattr(produce, "read_jsonl", MUTANTS[mutant])
    with pytest.raises((AssertionError, KeyError)):  # KeyError if it names a line that doesn't exist
        _produced_soundly(tansu, tmp_path)


def test_a_reader_of_csv_that_is_lenient_is_caught(monkeypatch: pytest.MonkeyPatch, tansu: str, tmp_path: Path) -> None:
    """A reader that accepts an unbalanced quote writes a corrupt row and fails the check."""

    def lenient(source: Any, *given: Any, **how: Any) -> Iterator[Outgoing]:
        return read_csv(io.BytesIO(source.read().replace(b'"more', b'"')), *given, **how)

    monkeypatch.setattr(produce, "read_csv", lenient)
    world = World(tansu, tmp_path, partitions=1)
    with pytest.raises((AssertionError, KeyError)):
        _check_log(world, written(world, rows(600, seed=SEED), CSV), CSV)
