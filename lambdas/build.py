"""Builds the functions' zips: `python -m lambdas.build [--arm64] [--to FOLDER] [NAME…]`.

The same sources and lock give the same bytes: files are sorted, have no times, and their bytecode depends on nothing
else. The bytecode is shipped because functions can't write it to /var/task: each cold start would compile again.
Libraries come without their sources, which halves them.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from core.errors import EXIT_OK, ConfigError, TicketstreamError
from lambdas.contents import FUNCTIONS, PYTHON, Libraries, Spec, first_party, needed

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = ROOT / "requirements" / "lambda.txt"
CACHE: Final = ROOT / ".lambda"
PLATFORMS: Final = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
#: The folder of the zip's content on Lambda; it appears in tracebacks.
_TASK: Final = "/var/task"
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MB: Final = 1_000_000


class Built(Struct, frozen=True):
    """A zip, and the bytes of its files."""

    path: Path
    zipped: int
    unzipped: int


def install(platform: str, lock: Path = LOCK, cache: Path = CACHE) -> Path:
    """The folder with the locked libraries for `platform`; installs them if they are missing.

    Raises:
        ConfigError: they can't be installed.
    """
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = cache / f"{lock.stem}-{platform}-{digest}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        options = ["--python-platform", PLATFORMS[platform], "--python-version", PYTHON, "--only-binary", ":all:"]
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes", *options]
        result = subprocess.run(
            [*command, "--target", f"{made}/site", "-r", str(lock)], capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            raise ConfigError(f"{lock.name} can't be installed: {' '.join(result.stderr.split())}")
        shutil.move(f"{made}/site", folder)
    return folder


def find_python() -> str:
    """The interpreter that compiles the bytecode.

    Raises:
        ConfigError: there is no Python of the runtime's version.
    """
    found = [os.environ.get("PYTHON313"), shutil.which(f"python{PYTHON}"), *_pyenv()]
    for python in filter(None, found):
        asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        result = subprocess.run(asked, capture_output=True, text=True, check=False)
        if result.returncode == 0 and result.stdout.strip() == PYTHON:
            return str(python)
    raise ConfigError(f"Python {PYTHON} compiles the functions' bytecode; install it, or name it in PYTHON313")


def _pyenv() -> list[str]:
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    return [str(path) for path in sorted(versions.glob(f"{PYTHON}.*/bin/python{PYTHON}"), reverse=True)]


def build(spec: Spec, site: Path, target: Path, *, root: Path = ROOT, python: str | None = None) -> Built:
    """Write the zip of a function.

    Args:
        spec: the function.
        site: the folder with the locked libraries.
        target: the zip.
        root: the folder of our sources.
        python: compiles the bytecode; by default the one that is found.

    Raises:
        ConfigError: a library is missing, or there is no Python of the runtime's version.
    """
    python = python or find_python()
    files, modules = first_party(root, spec.module)
    libraries = Libraries(site)
    with tempfile.TemporaryDirectory() as made:
        stage = Path(made)
        theirs = [path for library in libraries.closure(modules) for path in libraries.files(library)]
        for path in theirs:
            if needed(path, spec.services):
                _copy(site / path, stage / path)
        _compile(stage, python, "-b", ".")
        for path in stage.rglob("*.py"):  # a library's sources are as large as its bytecode
            path.unlink()
        for path in files:
            _copy(path, stage / path.relative_to(root))
        _compile(stage, python, *sorted({path.relative_to(root).parts[0] for path in files}))
        return _zip(stage, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _compile(stage: Path, python: str, *what: str) -> None:
    # Sets of strings are stored in the order of their hashes; times and paths of the stage must not be stored.
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(stage), "-p", _TASK, *what]
    environ = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    result = subprocess.run(
        [python, "-m", "compileall", *options], cwd=stage, env=environ, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise ConfigError(f"the bytecode can't be compiled: {' '.join((result.stdout + result.stderr).split())}")


def _zip(stage: Path, target: Path) -> Built:
    target.parent.mkdir(parents=True, exist_ok=True)
    unzipped = 0
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(stage.rglob("*"), key=lambda path: path.relative_to(stage).as_posix()):
            if path.is_file():
                info = zipfile.ZipInfo(path.relative_to(stage).as_posix(), _TIME)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                content = path.read_bytes()
                unzipped += len(content)
                archive.writestr(info, content, compresslevel=9)
    return Built(target, target.stat().st_size, unzipped)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the zips, and print their sizes. Returns the exit code; an error is one line."""
    parser = argparse.ArgumentParser(prog="python -m lambdas.build", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*FUNCTIONS, []], metavar="NAME", help=", ".join(FUNCTIONS))
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "lambda", help="folder of the zips")
    parser.add_argument("--arm64", action="store_true", help="for Graviton")
    given = parser.parse_args(arguments)
    platform = "arm64" if given.arm64 else "x86_64"
    try:
        site, python = install(platform), find_python()
        for name in given.names or FUNCTIONS:
            made = build(FUNCTIONS[name], site, given.to / f"{name}.zip", python=python)
            sizes = f"{made.zipped / _MB:5.1f} MB, unzipped {made.unzipped / _MB:5.1f} MB"
            sys.stdout.write(f"{made.path}  {sizes}\n")
    except TicketstreamError as error:
        sys.stderr.write(f"lambdas.build: {error}\n")
        return error.exit_code
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
