"""Opens the label model or the examples that the settings name."""

import tarfile
from pathlib import Path

import pytest

from connectors.model_store import FolderStore
from core.errors import ConfigError
from core.model_settings import ClassifySettings
from models.labels.artefact import save_label_model
from models.run.hashing import HashingEmbedder
from runtime import labels
from runtime.labels import describe_labeller, open_labeller, save_labels
from tests.models.labels.models import heads_of

EMBEDDER = HashingEmbedder()


def _saved(folder: Path, *, model: str = EMBEDDER.stamp) -> str:
    heads = heads_of(EMBEDDER.dimension)
    return save_label_model(folder, heads, dict.fromkeys(heads, 30), model=model, precision=0.95).stamp


def test_the_settings_choose_the_labeller(tmp_path: Path) -> None:
    """The settings open a label model, examples, or neither."""
    stamp = _saved(tmp_path / "labels")
    examples = tmp_path / "examples.jsonl"
    examples.write_text('{"text": "card lost", "category": "card"}\n')
    by_model = open_labeller(ClassifySettings(model=str(tmp_path / "labels")), EMBEDDER, cache=tmp_path)
    by_examples = open_labeller(ClassifySettings(examples_file=examples), EMBEDDER, cache=tmp_path)
    assert by_model is not None
    assert by_model.stamp == stamp
    assert by_examples is not None
    assert by_examples.stamp.startswith("examples/")
    assert by_examples.labels(EMBEDDER.embed(["card lost"])[0], None, ["category"])["category"].value == "card"
    assert open_labeller(ClassifySettings(), EMBEDDER, cache=tmp_path) is None


def test_a_label_model_and_examples_exclude_each_other(tmp_path: Path) -> None:
    """One line names both variables."""
    both = ClassifySettings(model=str(tmp_path), examples_file=tmp_path / "examples.jsonl")
    with pytest.raises(ConfigError, match=r"TICKETS_CLASSIFY__MODEL and TICKETS_CLASSIFY__EXAMPLES_FILE are both set"):
        open_labeller(both, EMBEDDER, cache=tmp_path)


def test_a_label_model_of_other_vectors_stops_the_start(tmp_path: Path) -> None:
    """A label model that was trained on another embedder's vectors stops the start."""
    _saved(tmp_path, model="another/1")
    with pytest.raises(ConfigError, match="trained on vectors of another/1, but the model is hashing/1"):
        open_labeller(ClassifySettings(model=str(tmp_path)), EMBEDDER, cache=tmp_path)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place in S3, faked by a folder."""
    monkeypatch.setattr(labels, "open_store", lambda _bucket: FolderStore(tmp_path / "bucket"))
    return "s3://bucket/labels/1"


def _save(place: str) -> str:
    heads = heads_of(EMBEDDER.dimension)
    return save_labels(place, heads, dict.fromkeys(heads, 30), model=EMBEDDER.stamp, precision=0.95).stamp


def test_a_label_model_can_live_in_s3(bucket: str, tmp_path: Path) -> None:
    """A label model in S3 is copied into the cache at each start, and saving never replaces one."""
    settings = ClassifySettings(model=bucket)
    with pytest.raises(ConfigError, match=r"there is no label model in s3://bucket/labels/1; `ticketstream train --to"):
        open_labeller(settings, EMBEDDER, cache=tmp_path / "cache")
    stamp = _save(bucket)
    opened = open_labeller(settings, EMBEDDER, cache=tmp_path / "cache")
    assert opened is not None
    assert opened.stamp == stamp
    with pytest.raises(ConfigError, match=r"--to s3://bucket/labels/1: there is a label model already"):
        _save(bucket)


def _pack(archive: Path, folder: Path, *names: str) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as packed:
        for name in names:
            packed.add(folder / Path(name).name, arcname=name)


def test_the_model_of_a_training_job_is_unpacked(bucket: str, tmp_path: Path) -> None:
    """Of the archive that SageMaker makes, only the model's two files are written, and they are verified."""
    stamp = _saved(tmp_path / "made")
    (tmp_path / "made" / "evil").write_text("evil")
    archive, cache = tmp_path / "bucket" / "model.tar.gz", tmp_path / "cache"
    settings = ClassifySettings(model=f"{bucket}/output/model.tar.gz")
    with pytest.raises(ConfigError, match=r"TICKETS_CLASSIFY__MODEL: there is no s3://bucket/.*/model.tar.gz; "):
        open_labeller(settings, EMBEDDER, cache=cache)
    _pack(archive, tmp_path / "made", "./manifest.json", "./labels.safetensors", "../evil", "evil")
    opened = open_labeller(settings, EMBEDDER, cache=cache)
    assert opened is not None
    assert opened.stamp == stamp
    assert {path.name for path in cache.rglob("*") if path.is_file()} == {"manifest.json", "labels.safetensors"}
    assert not (tmp_path / "evil").exists()


def test_an_archive_without_a_model_stops_the_start(bucket: str, tmp_path: Path) -> None:
    """One line says what the archive lacks, and a training job's place is never one to train to."""
    _saved(tmp_path / "made")
    archive, cache = tmp_path / "bucket" / "model.tar.gz", tmp_path / "cache"
    place = f"{bucket}/output/model.tar.gz"
    _pack(archive, tmp_path / "made", "manifest.json")
    with pytest.raises(ConfigError, match=r"is not a .tar.gz with labels.safetensors and .* \(no labels.safetensors\)"):
        open_labeller(ClassifySettings(model=place), EMBEDDER, cache=cache)
    archive.write_bytes(archive.read_bytes()[:-20])
    for content in (archive.read_bytes(), b"no archive"):
        archive.write_bytes(content)
        with pytest.raises(ConfigError, match=r"TICKETS_CLASSIFY__MODEL: model.tar.gz is not a .tar.gz with"):
            open_labeller(ClassifySettings(model=place), EMBEDDER, cache=cache)
    with pytest.raises(ConfigError, match=r"only a training job writes a .tar.gz"):
        _save(place)


@pytest.mark.parametrize("place", ["s3://bucket", "s3://", "ftp://x/y"])
def test_a_place_that_is_no_place_is_one_line(place: str, tmp_path: Path) -> None:
    """A bucket alone is not enough: the model needs a prefix of its own."""
    for use in (lambda: _save(place), lambda: open_labeller(ClassifySettings(model=place), EMBEDDER, cache=tmp_path)):
        with pytest.raises(ConfigError, match="is neither a folder nor an s3://bucket/prefix"):
            use()


def test_doctor_says_what_labels_tickets(tmp_path: Path) -> None:
    """`doctor` shows the model's labels, the number of examples or neither, and faults that would stop a worker."""

    def described(**settings: Path | str) -> str:
        return describe_labeller(ClassifySettings(**settings), model=EMBEDDER.stamp, cache=tmp_path)

    stamp = _saved(tmp_path / "labels")
    (tmp_path / "examples.jsonl").write_text('{"text": "card lost", "category": "card"}\n')
    assert described() == "no label model and no examples: tickets have the labels that their producers give them"
    assert described(examples_file=tmp_path / "examples.jsonl").startswith("1 examples in ")
    assert (
        described(model=str(tmp_path / "labels")) == f"{stamp} chooses from 3 labels of category, 2 labels of priority"
    )
    with pytest.raises(ConfigError, match="trained on vectors of hashing/1, but the model is another/2"):
        describe_labeller(ClassifySettings(model=str(tmp_path / "labels")), model="another/2", cache=tmp_path)
