"""Declared topics: loads deploy/k8s-ecs/msk/topics.yaml, the single source of truth, and creates missing ones."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from connectors.kafka.admin import open_cluster
from core.errors import ConfigError
from core.settings import Settings
from core.topic_settings import TopicSettings


class TopicSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The declared state of a topic; `config` uses Kafka's option names."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    partitions: Annotated[int, Meta(ge=1)]
    replication: Annotated[int, Meta(ge=1)]
    config: dict[str, str] = {}


class _Declaration(Struct, frozen=True, forbid_unknown_fields=True):
    topics: list[TopicSpec]


def load_topics(path: Path | None, *, names: TopicSettings | None = None) -> list[TopicSpec]:
    """The topics that `path` declares, or the shipped declaration for None.

    Args:
        path: YAML of {topics: [{name, partitions, replication, config}]}.
        names: from the settings; they replace the default names in the declaration.

    Raises:
        ConfigError: the file is missing or doesn't match this schema.
    """
    try:
        content = shipped_declaration() if path is None else path.read_bytes()
    except OSError as error:
        raise ConfigError(f"can't read {path}: {(error.strerror or '').lower()}") from None
    try:
        declared = msgspec.yaml.decode(content, type=_Declaration).topics
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path or 'the shipped topics.yaml'}: {' '.join(str(error).split())}") from None
    return [msgspec.structs.replace(spec, name=_configured(spec.name, names)) for spec in declared]


def shipped_declaration() -> bytes:
    """The bytes of the topics.yaml that is installed with the package."""
    return (files("deploy") / "k8s-ecs" / "msk" / "topics.yaml").read_bytes()


def _configured(name: str, names: TopicSettings | None) -> str:
    defaults = TopicSettings()
    roles = {default: role for role, default in defaults}
    return getattr(names, roles[name]) if names is not None and name in roles else name


def create_topics(
    settings: Settings, specs: list[TopicSpec], *, replication: int | None = None
) -> dict[str, tuple[int, str]]:
    """Create the topics that are missing.

    Returns:
        For each topic its partitions, and `created`, `exists` or how it differs.

    Raises:
        ConfigError: a topic needs more replicas than there are brokers.
        UnavailableError: no broker answers, or it refuses.
    """
    cluster = open_cluster(settings.kafka)
    present = cluster.topics()
    brokers = cluster.brokers()
    done = {}
    for spec in specs:
        if spec.name in present:
            found = present[spec.name]
            same = found == spec.partitions
            done[spec.name] = (found, "exists" if same else f"exists, declared with {spec.partitions} partitions")
            continue
        copies = replication or spec.replication
        if copies > brokers:
            raise ConfigError(
                f"{spec.name} needs {copies} copies, but the cluster has {brokers} broker(s); add brokers, "
                f"or pass --replication {brokers}"
            )
        config = dict(spec.config)
        if (insync := config.get("min.insync.replicas", "")).isdecimal():  # the broker refuses any other value
            config["min.insync.replicas"] = str(min(int(insync), copies))
        cluster.create_topic(spec.name, partitions=spec.partitions, replication=copies, config=config)
        done[spec.name] = (spec.partitions, "created")
    return done
