"""Names of the archive's objects.

    TOPIC/CLUSTER.TOPIC_ID/log.json
    TOPIC/CLUSTER.TOPIC_ID/PARTITION/data/FIRST_OFFSET.jsonl.gz
    TOPIC/CLUSTER.TOPIC_ID/PARTITION/manifest/FIRST_OFFSET.jsonl

A topic that is deleted and created again has another id, so its records are never mixed with those of the old one.
"""

import re
from typing import Final
from urllib.parse import quote

from core.provenance import LogIdentity

_NUMBERED: Final = re.compile(r"(?P<offset>\d{20})\.jsonl(?:\.gz)?")
_PARTITION: Final = re.compile(r"\d{5}")
#: Replaces an id that the broker doesn't report.
_UNKNOWN: Final = "unknown"


def generation_of(log: LogIdentity) -> str:
    """Folder of a topic's generation: the cluster's id and the topic's."""
    ids = (quote(part or _UNKNOWN, safe="") for part in (log.cluster, log.topic_id))
    return f"{log.topic}/{'.'.join(ids)}"


def log_file(generation: str) -> str:
    """The object that says which log a generation is of."""
    return f"{generation}/log.json"


def partition_folder(generation: str, partition: int) -> str:
    """Folder of a partition."""
    return f"{generation}/{partition:05d}"


def data_file(folder: str, first: int) -> str:
    """The file of the records from offset `first` on."""
    return f"{folder}/data/{first:020d}.jsonl.gz"


def manifest_file(folder: str, first: int) -> str:
    """The part of the manifest whose first file begins at offset `first`."""
    return f"{folder}/manifest/{first:020d}.jsonl"


def offset_in(name: str) -> int | None:
    """The offset in a name of `data_file` or `manifest_file`; None in a foreign one."""
    found = _NUMBERED.fullmatch(name.rpartition("/")[2])
    return None if found is None else int(found["offset"])


def partition_in(folder: str) -> int | None:
    """The number of a partition's folder; None for a foreign one."""
    return int(folder) if _PARTITION.fullmatch(folder) else None
