"""Builds the image without an engine: buildah with chroot isolation, on a Debian of our own as the base.

The base, and buildah's storage with the last images, are kept in the user's cache.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from connectors.model_store import open_store
from core.errors import UnavailableError
from core.settings import ModelSettings
from models.open import artefact_folder, card_of, weights_folder
from models.store.artefact import GRAPH, MANIFEST
from models.store.cards import TOKENIZER
from runtime.model import fetch_model
from tests.deploy.tools import ROOT, missing, tool

PRECISION: Final = "int8"
_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticketstream"
_BASE: Final = "localhost/ticketstream-base:bookworm"
#: What the official slim image leaves out of a Debian, too.
_LEFT_OUT: Final = ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")
#: Of pip's configuration, what says where packages are. Paths of this machine mean nothing inside.
_PIP_OPTIONS: Final = ("index-url", "extra-index-url", "trusted-host", "proxy", "default-timeout")
_BUILD_S: Final = 900


class Image(Struct, frozen=True):
    """A built image: its name, size in bytes, how long the build took, and what it says of itself."""

    name: str
    size: int
    seconds: float
    config: dict[str, Any]


class Buildah:
    """buildah with a storage of its own."""

    def __init__(self) -> None:
        storage = _CACHE / "buildah"
        self._command = [tool("buildah", package="buildah"), f"--root={storage}", f"--runroot={storage}/run"]
        if os.geteuid() != 0:
            missing("images are built as root here")

    def run(self, *arguments: str | Path) -> str:
        """Standard output; fails with the command's own words."""
        command = [*self._command, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_S, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def has(self, name: str) -> bool:
        """There is an image of this name."""
        return bool(self.run("images", "--quiet", "--filter", f"reference={name}"))

    def tidy(self) -> None:
        """Drop what builds leave behind: a gigabyte for each change of the code."""
        self.run("rm", "--all")
        self.run("rmi", "--prune")

    @contextmanager
    def mounted(self, name: str) -> Iterator[Path]:
        """The root of a container of the image `name`."""
        container = self.run("from", "--pull-never", name)
        try:
            yield Path(self.run("mount", container))
        finally:
            self.run("rm", container)


def build(buildah: Buildah, *, name: str, model: str, models: Path | None = None) -> Image:
    """The target `pipeline`, with what is the caller's own passed through as secrets."""
    _require_base(buildah)
    before = os.times().elapsed
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--isolation=chroot", "--format=docker", "--layers", "--pull-never", "--target=pipeline"]
        arguments += [f"--file={ROOT}/deploy/docker/Dockerfile"]
        arguments += [f"--ignorefile={ROOT}/deploy/docker/Dockerfile.dockerignore"]
        arguments += [
            f"--build-arg={key}={value}" for key, value in (("BASE", _BASE), ("MODEL", model), ("PRECISION", PRECISION))
        ]
        arguments += _secrets(Path(folder))
        arguments += [f"--build-context=models={models}"] if models else []
        buildah.run("build", *arguments, f"--tag={name}", ROOT)
    seconds = os.times().elapsed - before
    described = json.loads(buildah.run("inspect", "--type=image", name))
    size = json.loads(buildah.run("images", "--json", name))[0]["size"]
    return Image(name, _bytes(size), seconds, described["Docker"]["config"])


def fill_store(folder: Path) -> Path:
    """The model as `ticketstream model build --to` keeps it, from this machine's cache."""
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
    """Where this machine's pip gets its packages from; none of it may be found in an image."""
    return {value for option, value in _pip_options().items() if option in {"index-url", "extra-index-url", "proxy"}}


def _require_base(buildah: Buildah) -> None:
    """Debian bookworm with its Python 3.11, made once."""
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
            missing(f"debootstrap can't make a base: {(done.stdout.strip().splitlines() or ['it says nothing'])[-1]}")
        for left_out in _LEFT_OUT:
            shutil.rmtree(root / left_out, ignore_errors=True)
        draft = archive.with_suffix(".draft")
        subprocess.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(draft), "."], check=True)
        draft.rename(archive)
    finally:
        shutil.rmtree(root)


def _secrets(folder: Path) -> list[str]:
    """The caller's package index, and the authorities that pip trusts, where they are set."""
    options = _pip_options()
    authorities = options.get("cert")
    lines = [f"{name} = {options[name]}" for name in _PIP_OPTIONS if name in options]
    (folder / "pip").write_text("\n".join(["[global]", *lines, ""]))
    secrets = [f"--secret=id=pip,src={folder}/pip"]
    return secrets + ([f"--secret=id=ca,src={authorities}"] if authorities and Path(authorities).is_file() else [])


def _pip_options() -> dict[str, str]:
    """pip's configuration, the environment's last word included, as `pip config list` shows it."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    lines = sorted(listed.stdout.splitlines(), key=lambda line: line.startswith(":env:"))
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key.rpartition(".")[2]: value.strip("'\"") for key, _, value in pairs}


def _bytes(size: str) -> int:
    """buildah says `523 MB`."""
    number, unit = size.split()
    return round(float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit])
