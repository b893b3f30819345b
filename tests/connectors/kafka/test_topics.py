"""The declared topics: the shipped file, a user's own, and invalid ones."""

from pathlib import Path
from typing import Final

import pytest

from connectors.kafka.topics import load_topics, shipped_declaration
from core.errors import ConfigError
from core.settings import ContractSettings
from core.topic_settings import TopicSettings

_SOURCE: Final = Path(__file__).parents[3] / "deploy" / "k8s-ecs" / "msk" / "topics.yaml"


def test_the_shipped_declaration_is_the_one_in_deploy() -> None:
    """The installed package carries the file of deploy/."""
    assert shipped_declaration() == _SOURCE.read_bytes()


def test_the_shipped_topics_are_those_of_the_settings() -> None:
    """The shipped file declares each default name, and nothing else."""
    names = TopicSettings()
    declared = {spec.name: spec for spec in load_topics(None)}
    assert set(declared) == {names.raw, names.enriched, names.embedded, names.feedback, names.dlq}
    assert all(spec.replication == 3 and spec.partitions >= 1 for spec in declared.values())


def test_the_raw_topic_is_kept_for_ever() -> None:
    """The raw topic neither expires nor is compacted, so that the index can be rebuilt from it."""
    raw = next(spec for spec in load_topics(None) if spec.name == "tickets.raw")
    assert (raw.config["retention.ms"], raw.config["cleanup.policy"]) == ("-1", "delete")


def test_the_dead_letter_topic_takes_the_largest_record() -> None:
    """max.message.bytes of the raw topic exceeds a worker's limit, and that of the dead-letter topic is the largest."""
    sizes = {spec.name: int(spec.config["max.message.bytes"]) for spec in load_topics(None)}
    assert sizes["tickets.dlq"] > sizes["tickets.enriched"] > sizes["tickets.raw"] > ContractSettings().max_record_bytes


def test_configured_names_replace_the_declared_ones(tmp_path: Path) -> None:
    """A renamed topic keeps its partitions and configuration; a topic of the user's own keeps its name."""
    names = TopicSettings(raw="support.events", dlq="support.dead")
    renamed = load_topics(None, names=names)
    assert [spec.name for spec in renamed] == [
        *("support.events", "tickets.enriched", "tickets.embedded", "tickets.feedback", "support.dead")
    ]
    assert [spec.config for spec in renamed] == [spec.config for spec in load_topics(None)]
    own = _write(tmp_path, "topics: [{name: mine, partitions: 2, replication: 1}]")
    assert [spec.name for spec in load_topics(own, names=names)] == ["mine"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("topics: [{name: a, partitions: 0, replication: 1}]", ">= 1"),
        ("topics: [{name: 'a b', partitions: 1, replication: 1}]", "matching regex"),
        ("topics: [{name: a, replication: 1}]", "partitions"),
        ("topics: [{name: a, partitions: 1, replication: 1, retention: 5}]", "retention"),
        ("topics: [{name: a, partitions: 1, replication: 1, config: {retention.ms: 5}}]", "Expected `str`"),
        ("[]", "Expected `object`"),
        ("topics: [", "expected"),
        ("\xff\xfe", "topics.yaml"),
    ],
)
def test_a_wrong_declaration_is_one_line_that_names_the_file(tmp_path: Path, content: str, words: str) -> None:
    """Wrong values, missing or unknown fields and invalid YAML are one-line errors that name the file."""
    path = tmp_path / "topics.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load_topics(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_declaration_is_one_line() -> None:
    """A missing file is a one-line error with its path."""
    with pytest.raises(ConfigError, match=r"can't read /no/such/topics.yaml: no such file"):
        load_topics(Path("/no/such/topics.yaml"))


def _write(folder: Path, content: str) -> Path:
    path = folder / "topics.yaml"
    path.write_text(content)
    return path
