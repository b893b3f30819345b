"""The declaration of the topics: deploy/k8s-ecs/msk/topics.yaml, the one place where they are described."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from core.errors import ConfigError


class TopicSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A topic as it should be; `config` as Kafka names it."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    partitions: Annotated[int, Meta(ge=1)]
    replication: Annotated[int, Meta(ge=1)]
    config: dict[str, str] = {}


class _Declaration(Struct, frozen=True, forbid_unknown_fields=True):
    topics: list[TopicSpec]


def load_topics(path: Path | None) -> list[TopicSpec]:
    """The topics that `path` declares, or the shipped declaration for None.

    Raises:
        ConfigError: the file is missing, or is no such declaration.
    """
    try:
        text = shipped_declaration() if path is None else path.read_bytes()
    except OSError as error:
        raise ConfigError(f"can't read {path}: {(error.strerror or '').lower()}") from None
    try:
        return msgspec.yaml.decode(text, type=_Declaration).topics
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path or 'the shipped topics.yaml'}: {str(error).splitlines()[0]}") from None


def shipped_declaration() -> bytes:
    """The declaration as it was installed."""
    return (files("deploy") / "k8s-ecs" / "msk" / "topics.yaml").read_bytes()
