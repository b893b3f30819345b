"""An embedded index whose files were cut or lost is not opened as if it were whole."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.qdrant import wholeness
from connectors.qdrant.compaction import compact_folder
from connectors.qdrant.folder import noted_points
from connectors.qdrant.open import open_reader
from core.errors import ConfigError
from core.index import IndexedTicket
from core.settings import IndexSettings
from tests.contracts.index_laws import DIMENSION, MODEL, held, opened, ticket


def _index(path: Path) -> IndexSettings:
    settings = IndexSettings(path=path, min_free_mib=1)
    index = opened(settings)
    index.write([ticket(str(n), 1, 3) for n in range(300)])
    index.close()
    return settings


def _cut(path: Path, name: str) -> None:
    (found,) = path.rglob(name)
    os.truncate(found, found.stat().st_size // 2)


def _lose(path: Path, name: str) -> None:
    (found,) = path.rglob(name)
    found.unlink()


@pytest.mark.parametrize(
    ("damage", "name", "words"),
    [
        (_cut, "mutable_id_tracker.mappings", r"has [0-9]+ points, and had 901: files of it are damaged or missing"),
        (_lose, "mutable_id_tracker.versions", r"has [0-9]+ points, and had 901"),
        (_lose, "version.info", r"has [0-9]+ points, and had 901"),
        (_lose, "vector_storage-text/vectors/status.dat", "has passages without vectors"),
    ],
)
def test_a_file_that_was_cut_or_lost_is_noticed(
    tmp_path: Path, damage: Callable[[Path, str], None], name: str, words: str
) -> None:
    """A worker, a search and a compaction end in one line; the engine itself opens such a shard without an error."""
    settings = _index(tmp_path / "index")
    damage(settings.path, name)
    for use in (
        lambda: opened(settings).close(),
        lambda: open_reader(settings, dimension=DIMENSION, model=MODEL).close(),
        lambda: compact_folder(settings.path, min_free_mib=1, now_ms=1),
    ):
        copy = tmp_path / "copy"
        shutil.copytree(settings.path, copy)
        with pytest.raises(ConfigError, match=f"{words}.*restore a backup"):
            use()
        shutil.rmtree(settings.path)
        copy.rename(settings.path)


def test_an_index_that_trusts_its_files_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant serves the rest of a damaged index."""
    monkeypatch.setattr(wholeness, "require_whole", lambda shard, _path: wholeness.count_of(shard))
    settings = _index(tmp_path / "index")
    _cut(settings.path, "mutable_id_tracker.mappings")
    index = opened(settings)
    assert len(held(index)) < 300
    index.close()


def test_removed_tickets_are_not_taken_for_lost_ones(tmp_path: Path) -> None:
    """The bound is lowered before a removal, so that a kill between them raises no false alarm."""
    settings = _index(tmp_path / "index")
    index = opened(settings)
    assert noted_points(settings.path) == 901
    index.write([ticket("new", 1, 2)])
    index.remove([IndexedTicket("acme", str(n), 1, 3, deleted=False) for n in range(10)])
    assert noted_points(settings.path) <= 901 + 2 - 30
    index.close()
    assert noted_points(settings.path) == 901 + 2 - 30
    again = opened(settings)
    assert len(held(again)) == 291
    again.close()
