"""Suggests the setting that an unknown variable probably means. Needed only on the way to an error."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

#: Other names of our groups.
_GROUPS: Final = {
    "QDRANT": "INDEX",
    "VECTOR_DB": "INDEX",
    "VECTOR_STORE": "INDEX",
    "REDIS": "CACHE",
    "VALKEY": "CACHE",
    "LLM": "LANGUAGE_MODEL",
    "EMBEDDER": "MODEL",
    "EMBEDDING": "MODEL",
    "OTEL": "TRACING",
    "OTLP": "TRACING",
    "OIDC": "AUTH",
    "JWT": "AUTH",
    "TOPIC": "TOPICS",
}
#: Names that other programs give to our settings, but with our names of the groups.
COMMON_NAMES: Final = {
    "KAFKA__BROKERS": (
        "KAFKA_BOOTSTRAP_SERVERS KAFKA_BOOTSTRAP_SERVER KAFKA_BOOTSTRAP KAFKA_BROKER_LIST KAFKA_METADATA_BROKER_LIST"
        " KAFKA_SERVERS KAFKA_HOST KAFKA_HOSTS KAFKA_URL BOOTSTRAP_SERVERS BROKERS"
    ),
    "KAFKA__GROUP": "KAFKA_GROUP_ID KAFKA_CONSUMER_GROUP KAFKA_CONSUMER_GROUP_ID GROUP_ID CONSUMER_GROUP",
    "KAFKA__SASL_USERNAME": "KAFKA_USERNAME KAFKA_USER KAFKA_SASL_USER KAFKA_API_KEY",
    "KAFKA__SASL_PASSWORD": "KAFKA_PASSWORD KAFKA_API_SECRET",
    "KAFKA__SASL_MECHANISM": "KAFKA_SASL_MECHANISMS KAFKA_MECHANISM",
    "KAFKA__SSL_CA_FILE": "KAFKA_SSL_CA_LOCATION KAFKA_SSL_CAFILE KAFKA_SSL_CA KAFKA_CA_FILE KAFKA_CA_CERT",
    "KAFKA__SSL_CERTIFICATE_FILE": "KAFKA_SSL_CERTIFICATE_LOCATION KAFKA_SSL_CERTFILE KAFKA_SSL_CERT",
    "KAFKA__SSL_KEY_FILE": "KAFKA_SSL_KEY_LOCATION KAFKA_SSL_KEYFILE KAFKA_SSL_KEY",
    "KAFKA__PREFETCH_KIB": "KAFKA_QUEUED_MAX_MESSAGES_KBYTES",
    "KAFKA__ASSIGNMENT_STRATEGY": "KAFKA_PARTITION_ASSIGNMENT_STRATEGY",
    "KAFKA__COMMIT_INTERVAL_S": "KAFKA_AUTO_COMMIT_INTERVAL_MS",
    "TOPICS__RAW": "KAFKA_TOPIC KAFKA_TOPICS KAFKA_INPUT_TOPIC INPUT_TOPIC TOPICS_INPUT TOPICS_NAME TOPIC",
    "TOPICS__DLQ": "KAFKA_DLQ_TOPIC DLQ_TOPIC KAFKA_DLQ DEAD_LETTER_TOPIC TOPICS_DEAD_LETTER TOPICS_DEAD_LETTERS",
    "INDEX__URL": "INDEX_HOST INDEX_ADDRESS INDEX_ENDPOINT INDEX_URI INDEX_SERVER",
    "INDEX__API_KEY": "INDEX_KEY INDEX_TOKEN INDEX_PASSWORD INDEX_SECRET",
    "INDEX__COLLECTION": "INDEX_COLLECTION_NAME INDEX_NAME COLLECTION COLLECTION_NAME",
    "MODEL__NAME": "MODEL_ID MODEL_MODEL MODEL_MODEL_NAME",
    "MODEL__DIMENSIONS": "MODEL_DIM MODEL_DIMS MODEL_SIZE",
    "LANGUAGE_MODEL__CHAIN": "LANGUAGE_MODEL_NAME LANGUAGE_MODEL_MODEL LANGUAGE_MODEL_ID OPENAI_MODEL BEDROCK_MODEL",
    "LANGUAGE_MODEL__OPENAI_KEY": (
        "OPENAI_API_KEY OPENAI_KEY LANGUAGE_MODEL_API_KEY LANGUAGE_MODEL_KEY LANGUAGE_MODEL_OPENAI_API_KEY"
    ),
    "LANGUAGE_MODEL__OPENAI_URL": (
        "OPENAI_BASE_URL OPENAI_API_BASE OPENAI_URL LANGUAGE_MODEL_URL LANGUAGE_MODEL_BASE_URL LANGUAGE_MODEL_ENDPOINT"
    ),
    "CACHE__URL": "CACHE_HOST CACHE_ADDRESS CACHE_ENDPOINT CACHE_URI",
    "CACHE__USERNAME": "CACHE_USER",
    "CACHE__PASSWORD": "CACHE_AUTH_TOKEN CACHE_TOKEN",
    "TRACING__ENDPOINT": "TRACING_EXPORTER_OTLP_ENDPOINT TRACING_EXPORTER_OTLP_TRACES_ENDPOINT TRACING_URL",
    "TRACING__RATIO": "TRACING_SAMPLE_RATE TRACING_SAMPLING TRACING_SAMPLE_RATIO TRACING_TRACES_SAMPLER_ARG",
    "AUTH__ISSUER": "AUTH_ISSUER_URL AUTH_AUTHORITY ISSUER",
    "AUTH__JWKS_URL": "AUTH_JWKS_URI AUTH_JWKS JWKS_URL JWKS_URI",
    "AUTH__CLIENT_IDS": "AUTH_CLIENT_ID",
    "CHUNK__MAX_TOKENS": "CHUNK_SIZE CHUNK_LENGTH",
    "CHUNK__OVERLAP_TOKENS": "CHUNK_OVERLAP",
    "WRITER__MAX_BATCH_RECORDS": "WRITER_BATCH_SIZE BATCH_SIZE",
    "ARCHIVE__PLACE": "ARCHIVE_BUCKET ARCHIVE_PATH ARCHIVE_URL ARCHIVE_FOLDER ARCHIVE_DIR",
    "CLIENT__RAG_URL": "RAG_URL CLIENT_URL",
    "LOG__LEVEL": "LOGLEVEL LOGGING_LEVEL VERBOSITY",
}
_BY_NAME: Final = {name: setting for setting, names in COMMON_NAMES.items() for name in names.split()}

#: Minimum similarity of a name to a setting of its group, and to any setting.
_ALIKE_IN_GROUP: Final = 0.6
_ALIKE: Final = 0.75


def suggest(name: str, settings: Iterable[str]) -> str | None:
    """The setting that `name` probably means, both without our prefix and in upper case; None if none is like it.

    Names in a group are compared without the group, which would make all of them similar.
    """
    known = sorted(settings)
    flat = _in_our_groups(re.sub(r"[^A-Z0-9]+", "_", name).strip("_"))
    by_flat = {setting.replace("__", "_"): setting for setting in known}
    if (found := by_flat.get(flat) or _BY_NAME.get(flat)) is not None:
        return found
    groups = sorted({setting.partition("__")[0] for setting in known}, key=len, reverse=True)
    group = next((group for group in groups if flat.startswith(f"{group}_")), None)
    if group is None:
        close = get_close_matches(flat, by_flat, n=1, cutoff=_ALIKE)
        return by_flat[close[0]] if close else None
    fields = {each.removeprefix(f"{group}__"): each for each in known if each.startswith(f"{group}__")}
    close = get_close_matches(flat.removeprefix(f"{group}_"), fields, n=1, cutoff=_ALIKE_IN_GROUP)
    return fields[close[0]] if close else None


def _in_our_groups(name: str) -> str:
    """The name, with our name of its group."""
    for other, ours in _GROUPS.items():
        if name.startswith(f"{other}_"):
            return f"{ours}_{name.removeprefix(f'{other}_')}"
    return name
