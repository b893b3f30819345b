"""Zips are reproducible: the same sources give the same bytes."""

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from core.errors import ConfigError
from lambdas import build
from lambdas.build import Built
from lambdas.contents import Spec
from tests.lambdas.test_contents import install

#: The tests' own Python stands for the runtime's: a zip's bytes don't depend on which of them compiles it.
PYTHON = sys.executable


def made(folder: Path, *, mtime: float) -> Built:
    """A zip of sources and libraries that were written at `mtime`."""
    package = folder / "sources" / "ours"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "handler.py").write_text(
        "import lib\nWORDS = {'a', 'b', 'c', 'd', 'e', 'f'}\ndef f(x): return x in {'p', 'q', 'r'}\n"
    )
    (package / "unused.py").write_text("")
    install(folder / "site", "lib", "lib")
    for path in sorted(folder.rglob("*")):
        os.utime(path, (mtime, mtime))
    return build.build(Spec("ours.handler"), folder / "site", folder / "f.zip", root=folder / "sources", python=PYTHON)


def test_two_builds_have_the_same_bytes(tmp_path: Path) -> None:
    """Two builds have the same bytes, whatever the times, the folders and the order of hashes."""
    first = made(tmp_path / "a", mtime=1e9)
    second = made(tmp_path / "elsewhere" / "b", mtime=1.5e9)
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_zip_has_our_sources_and_everyones_bytecode(tmp_path: Path) -> None:
    """A zip has our sources and all bytecode, but no library's sources and no module that isn't imported."""
    with zipfile.ZipFile(made(tmp_path, mtime=1e9).path) as archive:
        names = archive.namelist()
        modes = {info.external_attr >> 16 for info in archive.infolist()}
    tag = sys.implementation.cache_tag
    assert names == [
        "lib-1.dist-info/METADATA",
        "lib.pyc",
        "ours/__init__.py",
        f"ours/__pycache__/__init__.{tag}.pyc",
        f"ours/__pycache__/handler.{tag}.pyc",
        "ours/handler.py",
    ]
    assert modes == {0o644}


def test_a_change_of_a_source_changes_the_zip(tmp_path: Path) -> None:
    """A changed source changes the zip, so Terraform updates the function."""
    before = made(tmp_path / "a", mtime=1e9).path.read_bytes()
    handler = tmp_path / "a" / "sources" / "ours" / "handler.py"
    handler.write_text(handler.read_text() + "y = 2\n")
    spec, site = Spec("ours.handler"), tmp_path / "a" / "site"
    after = build.build(spec, site, tmp_path / "c.zip", root=tmp_path / "a" / "sources", python=PYTHON)
    assert after.path.read_bytes() != before


def test_a_missing_python_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the runtime's Python, the build ends with one line."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.delenv("PYTHON313", raising=False)
    with pytest.raises(ConfigError, match=r"^Python 3\.13 compiles .* install it, or name it in PYTHON313$"):
        build.find_python()


def test_libraries_that_cannot_be_installed_leave_nothing(tmp_path: Path) -> None:
    """The error names the lock file that can't be installed, and the next build tries again."""
    if shutil.which("uv") is None and not (Path(sys.executable).parent / "uv").exists():
        pytest.skip("uv is not installed")
    lock = tmp_path / "bad.txt"
    lock.write_text("this is no requirement\n")
    with pytest.raises(ConfigError, match=r"bad\.txt can't be installed"):
        build.install("x86_64", lock, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
