"""A label model on disk."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.errors import ConfigError
from core.records import Label, LabelKind, SparseVector
from models.labels import artefact
from models.labels.artefact import MANIFEST, WEIGHTS, LabelManifest, load_label_model, save_label_model
from models.labels.linear import NEVER, LabelModel, LinearHead
from tests.models.labels.models import head, heads_of

_MODEL = "hashing/1"
_DIMENSION = 8


def _saved(folder: Path) -> LabelManifest:
    return save_label_model(
        folder, heads_of(_DIMENSION), {"category": 30, "priority": 20}, model=_MODEL, precision=0.95
    )


def test_a_saved_model_labels_as_before(tmp_path: Path) -> None:
    """A loaded model gives the same labels as the saved one, and has the manifest's stamp."""
    manifest = _saved(tmp_path / "labels" / "1")
    loaded = load_label_model(tmp_path / "labels" / "1", model=_MODEL)
    before = LabelModel(heads_of(_DIMENSION), stamp=manifest.stamp)
    assert loaded.stamp == manifest.stamp
    kinds: list[LabelKind] = ["category", "priority"]
    terms = SparseVector(np.array([3, 4, 9], np.uint32), np.ones(3, np.float32))
    for vector in np.random.default_rng(1).standard_normal((20, _DIMENSION)).astype(np.float32):
        assert loaded.labels(vector, terms, kinds) == before.labels(vector, terms, kinds)


def test_a_model_of_an_earlier_version_labels_as_it_did(tmp_path: Path) -> None:
    """A folder of format 1, which knows no words, is loaded, and its stamp stays: tickets keep their label model."""
    heads: dict[LabelKind, LinearHead] = {"category": head(np.eye(_DIMENSION, 3), [0.2, 0.4, NEVER])}
    save_label_model(tmp_path, heads, {"category": 30}, model=_MODEL, precision=0.95)
    text = (tmp_path / MANIFEST).read_text()
    assert "vocabulary" not in text
    (tmp_path / MANIFEST).write_text(text.replace('"format": 2', '"format": 1'))
    loaded = load_label_model(tmp_path, model=_MODEL)
    assert loaded.stamp == "labels/4570fa86266a"
    terms, vector = SparseVector(np.array([3], np.uint32), np.ones(1, np.float32)), np.eye(_DIMENSION, dtype=np.float32)
    assert loaded.labels(vector[0], terms, ["category"]) == {"category": Label("a", 0.5761)}


def test_the_same_model_has_the_same_bytes(tmp_path: Path) -> None:
    """Saving twice gives equal files, and so equal stamps; another threshold gives another stamp."""
    first, second = _saved(tmp_path / "1"), _saved(tmp_path / "2")
    assert first == second
    assert (tmp_path / "1" / WEIGHTS).read_bytes() == (tmp_path / "2" / WEIGHTS).read_bytes()
    text = (tmp_path / "2" / MANIFEST).read_text()
    assert '"a": 0.2' in text
    (tmp_path / "2" / MANIFEST).write_text(text.replace('"a": 0.2', '"a": 0.3'))
    assert load_label_model(tmp_path / "2", model=_MODEL).stamp != first.stamp


def check_refuses_another_model(load: Callable[[Path, str], object], folder: Path) -> None:
    """A label model is refused for vectors of any other embedding model, in one line that names both."""
    _saved(folder)
    load(folder, _MODEL)
    with pytest.raises(ConfigError) as caught:
        load(folder, "all-MiniLM-L6-v2/int8/abc")
    line = str(caught.value)
    assert line.startswith("TICKETS_CLASSIFY__MODEL: ")
    assert "trained on vectors of hashing/1, but the model is all-MiniLM-L6-v2/int8/abc" in line
    assert "\n" not in line


def test_a_model_for_other_vectors_is_refused(tmp_path: Path) -> None:
    """The stamp of the embedding model must be the one that it was trained on."""
    check_refuses_another_model(lambda folder, model: load_label_model(folder, model=model), tmp_path)


def test_a_loader_that_accepts_any_stamp_is_caught(tmp_path: Path) -> None:
    """The check fails on a loader that doesn't compare stamps."""

    def trusting(folder: Path, _model: str) -> object:
        return load_label_model(folder, model=artefact.read_manifest(folder, "").model)

    with pytest.raises(pytest.fail.Exception):
        check_refuses_another_model(trusting, tmp_path)


def _flip(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)


def _drop_a_label(folder: Path) -> None:
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes())
    manifest["heads"]["category"]["thresholds"].pop("a")
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))


def _drop_a_term(folder: Path) -> None:
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes())
    manifest["heads"]["priority"]["vocabulary"] = 2
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_flip, "is damaged: its sha256 does not match"),
        (lambda folder: (folder / WEIGHTS).unlink(), "can't read"),
        (lambda folder: (folder / MANIFEST).unlink(), "`ticketstream train --to FOLDER` writes one"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "is not that of a label model"),
        (lambda folder: (folder / MANIFEST).write_bytes(b"\xff"), "is not that of a label model"),
        (lambda folder: (folder / MANIFEST).write_text('{"format": 3}'), "is not that of a label model"),
        (_drop_a_label, "does not fit its weights"),
        (_drop_a_term, "does not fit its weights"),
    ],
)
def test_a_damaged_model_is_one_line(tmp_path: Path, damage: Callable[[Path], object], words: str) -> None:
    """The line names the variable and says what is wrong."""
    _saved(tmp_path)
    damage(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_label_model(tmp_path, model=_MODEL)
    assert str(caught.value).startswith("TICKETS_CLASSIFY__MODEL: ")
    assert words in str(caught.value)


def test_a_model_never_replaces_another(tmp_path: Path) -> None:
    """Saving to a folder with a model, or to a file, is refused, so that the old model isn't lost."""
    _saved(tmp_path / "1")
    with pytest.raises(ConfigError, match="there is a label model already"):
        _saved(tmp_path / "1")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="this is a file"):
        _saved(tmp_path / "file")
