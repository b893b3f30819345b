"""Listing, identity and reading of a folder's files."""

import os
from pathlib import Path

import pytest

from connectors.sources.folder import open_folder
from core.errors import ConfigError, TransientError


def _names(place: str) -> list[str]:
    return sorted(Path(file.name).name for file in open_folder(place, "SETTING").files())


def test_a_place_is_a_folder_or_a_pattern(tmp_path: Path) -> None:
    """A folder means the files in it, ** matches folders at any depth, and hidden files are left out."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.jsonl", "b.csv", ".hidden", "deep/c.jsonl", "deep/er/d.jsonl", "deep/.part.jsonl"):
        (tmp_path / name).write_bytes(b"x")
    assert _names(str(tmp_path)) == ["a.jsonl", "b.csv"]
    assert _names(f"{tmp_path}/*.jsonl") == ["a.jsonl"]
    assert _names(f"{tmp_path}/**/*.jsonl") == ["a.jsonl", "c.jsonl", "d.jsonl"]
    assert _names(f"{tmp_path}/a.jsonl") == ["a.jsonl"]


def test_a_renamed_file_keeps_its_id_and_a_changed_one_changes_its_stamp(tmp_path: Path) -> None:
    """A rename keeps a file's id, and a change of its content changes its stamp."""
    source, path = open_folder(str(tmp_path), "SETTING"), tmp_path / "a"
    path.write_bytes(b"x")
    before = next(source.files())
    path.rename(tmp_path / "b")
    renamed = next(source.files())
    assert (renamed.file_id, renamed.stamp, renamed.name) == (before.file_id, before.stamp, str(tmp_path / "b"))
    (tmp_path / "b").write_bytes(b"xy")
    changed = next(source.files())
    assert changed.file_id == before.file_id
    assert changed.stamp != before.stamp


def test_an_open_file_is_followed_also_after_it_was_deleted(tmp_path: Path) -> None:
    """A deleted file that is still open is read as it grows."""
    source, path = open_folder(str(tmp_path), "SETTING"), tmp_path / "a"
    path.write_bytes(b"one")
    file = source.open(next(source.files()))
    assert (file.read(2), file.read(9), file.read(9)) == (b"on", b"e", b"")
    with path.open("ab") as writer:
        path.unlink()
        writer.write(b"two")
    assert file.read(9) == b"two"
    file.close()


@pytest.mark.parametrize("content", [b"", b"on", b"One", b"oNe", b"another"])
def test_a_file_that_is_written_over_has_changed(tmp_path: Path, content: bytes) -> None:
    """A file has changed if it was truncated or bytes already read differ, and not if it only grew."""
    source, path = open_folder(str(tmp_path), "SETTING"), tmp_path / "a"
    path.write_bytes(b"one")
    file = source.open(next(source.files()))
    for _ in range(2):
        file.state()
        file.read(9)
    assert not file.changed()
    with path.open("ab") as writer:
        writer.write(b"two")
    assert not file.changed()
    path.write_bytes(content)
    assert file.changed()
    file.close()


def test_a_file_that_is_gone_or_another_one_is_tried_again(tmp_path: Path) -> None:
    """A file that was deleted or replaced between listing and opening is a transient error."""
    source, path = open_folder(str(tmp_path), "SETTING"), tmp_path / "a"
    path.write_bytes(b"x")
    found = next(source.files())
    (tmp_path / "b").write_bytes(b"y")
    (tmp_path / "b").rename(path)
    with pytest.raises(TransientError, match="replaced by another file"):
        source.open(found)
    path.unlink()
    with pytest.raises(TransientError, match="is gone"):
        source.open(found)


def test_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    """A link out of the folder, which may lead to any file of this user, is refused; a link within it is read."""
    (secret := tmp_path / "secret.jsonl").write_bytes(b"key\n")
    (watched := tmp_path / "in").mkdir()
    (watched / "one.jsonl").write_bytes(b"{}\n")
    (watched / "inside.jsonl").symlink_to("one.jsonl")
    (watched / "outside.jsonl").symlink_to(secret)
    source = open_folder(f"{watched}/*.jsonl", "SETTING")
    found = {Path(file.name).name: file for file in source.files()}
    with pytest.raises(ConfigError, match=r"outside\.jsonl is a link to a file outside of .*in; put the file itself"):
        source.open(found["outside.jsonl"])
    for name in ("inside.jsonl", "one.jsonl"):
        opened = source.open(found[name])
        assert opened.read(9) == b"{}\n"
        opened.close()


def test_a_pipe_in_the_place_of_a_file_blocks_nothing(tmp_path: Path) -> None:
    """A pipe without a writer is refused at once; waiting for one would hold up all other files."""
    path = tmp_path / "one.jsonl"
    path.write_bytes(b"{}\n")
    source = open_folder(str(tmp_path), "SETTING")
    (file,) = source.files()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(TransientError, match="was replaced by another file"):
        source.open(file)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A missing folder is a mistake at the start, and an outage later, because it may be on a network."""
    with pytest.raises(ConfigError, match=f"SETTING: there is no folder {tmp_path}/in; create it"):
        open_folder(f"{tmp_path}/in/*.jsonl", "SETTING")
    (tmp_path / "in").mkdir()
    source = open_folder(f"{tmp_path}/in/*.jsonl", "SETTING")
    (tmp_path / "in").rmdir()
    with pytest.raises(TransientError, match="there is no folder"):
        list(source.files())
    with pytest.raises(ConfigError, match="no such home folder"):
        open_folder("~nobody-here/in", "SETTING")
