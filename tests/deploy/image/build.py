"""Builds the images without Docker: with buildah, chroot isolation, and a debootstrapped Debian as base.

The user's cache keeps the base, and buildah's storage with the last images.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from connectors.model_store import open_store
from core.errors import UnavailableError
from core.model_settings import ModelSettings
from models.open import artefact_folder, card_of, weights_folder
from models.store.artefact import GRAPH, MANIFEST
from models.store.cards import TOKENIZER
from runtime.model import fetch_model
from tests.deploy.tools import ROOT, missing, tool

PRECISION: Final = "int8"
_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticketstream"
_BASE: Final = "localhost/ticketstream-base:bookworm"
#: Folders that the official slim image leaves out too.
_LEFT_OUT: Final = ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")
#: Options of pip's configuration that say where packages are; paths of this machine mean nothing in the image.
_PIP_OPTIONS: Final = ("index-url", "extra-index-url", "trusted-host", "proxy", "default-timeout")
_BUILD_S: Final = 900


class Image(Struct, frozen=True):
    """A built image: its name, size in bytes, duration of the build, and configuration."""

    name: str
    size: int
    seconds: float
    config: dict[str, Any]


class Buildah:
    """buildah with its own storage."""

    def __init__(self) -> None:
        storage = _CACHE / "buildah"
        self._command = [tool("buildah", package="buildah"), f"--root={storage}", f"--runroot={storage}/run"]
        if os.geteuid() != 0:
            missing("building images needs root")

    def run(self, *arguments: str | Path) -> str:
        """Run buildah and return its standard output; a failure shows its messages."""
        command = [*self._command, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_S, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def has(self, name: str) -> bool:
        """Whether there is an image of this name."""
        return bool(self.run("images", "--quiet", "--filter", f"reference={name}"))

    def tidy(self) -> None:
        """Remove leftovers of builds, a gigabyte for each change of the code."""
        self.run("rm", "--all")
        self.run("rmi", "--prune")

    @contextmanager
    def mounted(self, name: str) -> Iterator[Path]:
        """Mount the root file system of the image `name`."""
        container = self.run("from", "--pull-never", name)
        try:
            yield Path(self.run("mount", container))
        finally:
            self.run("rm", container)


def build(buildah: Buildah, *, name: str, model: str, models: Path | None = None) -> Image:
    """Build the target `pipeline`, with the caller's pip configuration as secrets."""
    given = {"BASE": _BASE, "MODEL": model, "PRECISION": PRECISION}
    further = ["--target=pipeline", *([f"--build-context=models={models}"] if models else [])]
    return _build(buildah, "Dockerfile", name, given, further)


def build_encoder(buildah: Buildah, *, name: str, pipeline: Image) -> Image:
    """Build the encoder on top of the image `pipeline`."""
    return _build(buildah, "encoder.Dockerfile", name, {"BASE": _BASE, "PIPELINE": pipeline.name}, [])


def _build(buildah: Buildah, file: str, name: str, given: Mapping[str, str], further: Sequence[str]) -> Image:
    _require_base(buildah)
    before = os.times().elapsed
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--isolation=chroot", "--format=docker", "--layers", "--pull-never", *further]
        arguments += [f"--file={ROOT}/deploy/docker/{file}"]
        arguments += [f"--ignorefile={ROOT}/deploy/docker/Dockerfile.dockerignore"]
        arguments += [f"--build-arg={key}={value}" for key, value in given.items()]
        arguments += _secrets(Path(folder))
        buildah.run("build", *arguments, f"--tag={name}", ROOT)
    seconds = os.times().elapsed - before
    described = json.loads(buildah.run("inspect", "--type=image", name))
    size = json.loads(buildah.run("images", "--json", name))[0]["size"]
    return Image(name, _bytes(size), seconds, described["Docker"]["config"])


def fill_store(folder: Path) -> Path:
    """Fill a model store, as `ticketstream model build --to` does, from this machine's cache."""
    settings = ModelSettings(precision=PRECISION, device="cpu")
    try:
        fetch_model(settings)
    except UnavailableError as error:
        missing(str(error))
    store, prefix = open_store(str(folder)), f"{card_of(settings).name}/{PRECISION}"
    store.put(f"{prefix}/{TOKENIZER}", weights_folder(settings) / TOKENIZER)
    for name in (GRAPH, MANIFEST):
        store.put(f"{prefix}/{name}", artefact_folder(settings) / name)
    return folder


def index_hosts() -> set[str]:
    """Addresses of this machine's package index, which must not be in an image."""
    return {value for option, value in _pip_options().items() if option in {"index-url", "extra-index-url", "proxy"}}


def _require_base(buildah: Buildah) -> None:
    """Make the base, Debian bookworm with Python 3.11, if it isn't in the cache."""
    if buildah.has(_BASE):
        return
    archive = _CACHE / "base" / "bookworm.tar"
    if not archive.exists():
        _bootstrap(archive)
    container = buildah.run("from", "scratch")
    try:
        buildah.run("add", container, archive, "/")
        buildah.run("commit", "--format=docker", container, _BASE)
    finally:
        buildah.run("rm", container)


def _bootstrap(archive: Path) -> None:
    program = tool("debootstrap", package="debootstrap")
    archive.parent.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(dir=archive.parent))
    try:
        command = [
            program,
            "--variant=minbase",
            "--include=python3,python3-venv,ca-certificates",
            "bookworm",
            str(root),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_S, check=False)
        if done.returncode != 0:
            missing(f"debootstrap failed: {(done.stdout.strip().splitlines() or ['without a message'])[-1]}")
        for left_out in _LEFT_OUT:
            shutil.rmtree(root / left_out, ignore_errors=True)
        draft = archive.with_suffix(".draft")
        subprocess.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(draft), "."], check=True)
        draft.rename(archive)
    finally:
        shutil.rmtree(root)


def _secrets(folder: Path) -> list[str]:
    """The caller's package index and CA bundle as build secrets, if they are set."""
    options = _pip_options()
    authorities = options.get("cert")
    lines = [f"{name} = {options[name]}" for name in _PIP_OPTIONS if name in options]
    (folder / "pip").write_text("\n".join(["[global]", *lines, ""]))
    secrets = [f"--secret=id=pip,src={folder}/pip"]
    return secrets + ([f"--secret=id=ca,src={authorities}"] if authorities and Path(authorities).is_file() else [])


def _pip_options() -> dict[str, str]:
    """pip's configuration as `pip config list` shows it; environment variables override files."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    lines = sorted(listed.stdout.splitlines(), key=lambda line: line.startswith(":env:"))
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key.rpartition(".")[2]: value.strip("'\"") for key, _, value in pairs}


def _bytes(size: str) -> int:
    """The number of bytes in a size such as `523 MB`."""
    number, unit = size.split()
    return round(float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit])
