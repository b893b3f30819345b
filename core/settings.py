"""Every setting, with its default. A function receives its own group; `core.environment` reads them all.

A variable is `TICKETS_<GROUP>__<NAME>`, for example `TICKETS_KAFKA__BROKERS`.
"""

import os
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

PREFIX: Final = "TICKETS_"


def default_cache() -> Path:
    """Where models are kept: the XDG base directory specification's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticketstream"


def default_data() -> Path:
    """Where the embedded index lives: the XDG base directory specification's data folder."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "ticketstream"


def _expand(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str) else value


FilePath = Annotated[Path, BeforeValidator(_expand)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class Group(BaseModel):
    """A group of settings: frozen, and closed to names it doesn't know."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class KafkaSettings(Group):
    """The broker, the consumer group and how to be let in."""

    brokers: str = Field("localhost:9092", description="Bootstrap servers, host:port, comma-separated.")
    group: str = Field("ticketstream", description="Consumer group; tasks of one group share the partitions.")
    group_protocol: Literal["classic", "consumer"] = Field(
        "classic", description="`classic` works on every broker; `consumer` is KIP-848 and needs Kafka 4."
    )
    assignment_strategy: Literal["cooperative-sticky", "range"] = Field(
        "cooperative-sticky", description="Assignor of the classic protocol."
    )
    session_timeout_s: Seconds = Field(
        10.0, description="Classic protocol: silence after which the broker gives a task's partitions away."
    )
    max_poll_interval_s: Seconds = Field(300.0, description="Time without a poll after which the client leaves.")
    prefetch_kib: Positive = Field(16_384, description="Most that the client fetches ahead, in KiB.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How the broker is spoken to."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"] | None = Field(
        None, description="For the SASL protocols; AWS_MSK_IAM signs tokens with the task's own role."
    )
    sasl_username: str | None = Field(None, description="For PLAIN and SCRAM.")
    sasl_password: SecretStr | None = Field(None, description="For PLAIN and SCRAM.")
    ssl_ca_file: FilePath | None = Field(None, description="PEM of the authorities to trust.")
    ssl_certificate_file: FilePath | None = Field(None, description="PEM of our certificate, for mutual TLS.")
    ssl_key_file: FilePath | None = Field(None, description="PEM of our private key, for mutual TLS.")
    ssl_key_password: SecretStr | None = Field(None, description="Opens the private key.")
    aws_region: str | None = Field(None, description="Region that signs MSK IAM tokens.")
    extra: dict[str, str] = Field(
        default_factory=dict, description="Further librdkafka options as JSON; they win over ours."
    )
    commit_interval_s: Seconds = Field(0.5, description="Time between commits.")
    startup_timeout_s: Seconds = Field(10.0, description="How long the start waits for the broker.")

    def group_of(self, role: str | None) -> str:
        """The consumer group of a role. Roles read different topics, so each has a group of its own."""
        return self.group if role is None else f"{self.group}-{role}"


class TopicSettings(Group):
    """Names of the topics."""

    raw: str = Field("tickets.raw", description="Ticket events, as producers write them.")
    enriched: str = Field("tickets.enriched", description="For running the stages apart.")
    embedded: str = Field("tickets.embedded", description="For running the stages apart.")
    dlq: str = Field("tickets.dlq", description="Dead letters.")


class ContractSettings(Group):
    """What an event may be; beyond it a record is rejected."""

    version_source: Literal["version", "updated_at"] = Field(
        "version", description="`updated_at`: where a source has no version, its time in ms serves."
    )
    max_record_bytes: Positive = Field(1_000_000, description="Size of a record's value.")
    max_depth: Positive = Field(16, description="Nesting of the JSON.")
    max_messages: Positive = Field(1_000, description="Messages of a ticket.")
    max_tags: Positive = Field(100, description="Tags of a ticket.")


class EnrichSettings(Group):
    """Customer context."""

    customers_file: FilePath | None = Field(
        None, description="JSONL of {tenant_id, customer_id, ...facts}; none: no customer context."
    )


class ChunkSettings(Group):
    """How a ticket becomes passages."""

    max_tokens: Annotated[int, Field(ge=16)] | None = Field(
        None, description="Longest passage; none: what the model reads whole."
    )
    overlap_tokens: Annotated[int, Field(ge=0)] = Field(32, description="Shared by neighbours of a cut text.")


class ModelSettings(Group):
    """The embedding model."""

    name: str = Field(
        "all-MiniLM-L6-v2",
        description="One of ours: `all-MiniLM-L6-v2`; `hashing` needs no weights and understands nothing: for tests.",
    )
    card: FilePath | None = Field(
        None,
        description="Any other BERT encoder: its card, a JSON file that `ticketstream model card` writes. It wins over "
        "the name.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="`auto` takes a GPU where there is one and requirements/gpu.txt is installed."
    )
    cache_dir: FilePath = Field(default_factory=default_cache, description="Where weights and graphs are kept.")
    precision: Literal["auto", "fp32", "int8", "fp16"] = Field(
        "auto",
        description="`int8` is more than twice as fast where the CPU has VNNI, `fp16` is for a GPU; `auto` chooses "
        "them there. Name one where workers on different machines share an index.",
    )
    store: str | None = Field(
        None,
        description="Folder or s3://bucket/prefix that `ticketstream model build --to` filled: the model is taken "
        "from there instead of being built.",
    )
    stamp: str | None = Field(
        None, description="The only model stamp to run with, as `ticketstream model show` prints it; none: any."
    )
    vector_cache_texts: Annotated[int, Field(ge=0)] = Field(
        20_000, description="Texts whose vectors are kept, so that a status change embeds nothing; 0: none."
    )
    batch_tokens: Positive | None = Field(
        None, description="Most tokens of a batch, padding included; none: what is fastest here, measured once."
    )
    threads: Positive | None = Field(None, description="Inference threads on the CPU; none: one per core.")


class ClassifySettings(Group):
    """Category and priority from the nearest labelled examples."""

    examples_file: FilePath | None = Field(
        None, description="JSONL of {text, category?, priority?}; none: nothing is classified."
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        0.6, description="Below it a ticket stays without a label."
    )


class IndexSettings(Group):
    """The vector index: embedded in this process, or a Qdrant server when `url` is set."""

    path: FilePath = Field(
        default_factory=lambda: default_data() / "index", description="Folder of the embedded engine."
    )
    url: str | None = Field(None, description="A Qdrant server, for example http://localhost:6334 (gRPC).")
    api_key: SecretStr | None = Field(None, description="Of the Qdrant server.")
    collection: str = Field("tickets", description="Collection on the Qdrant server.")
    timeout_s: Seconds = Field(10.0, description="Longest a call to the server may take.")
    replication_factor: Positive = Field(1, description="Copies of a collection we create on a server.")
    shards: Positive = Field(1, description="Shards of a collection we create on a server.")


class WriterSettings(Group):
    """Batches, and how much may be on its way at once."""

    max_batch_records: Positive = Field(256, description="Most records of one poll.")
    max_batch_delay_ms: Annotated[int, Field(ge=0)] = Field(
        50, description="How long a poll waits for a first record; what has come by then makes the batch."
    )
    max_inflight_records: Positive = Field(2_048, description="Records read and not yet acked, at most.")
    max_inflight_bytes: Positive = Field(64 * 1024 * 1024, description="Their bytes, at most.")
    max_concurrent_batches: Positive = Field(4, description="Maximum concurrent batches.")
    backoff_max_s: Seconds = Field(3.0, description="Longest wait between two tries.")
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.9, description="Stop when so much of the last records can't be used; 0: never."
    )
    drain_timeout_s: Seconds = Field(20.0, description="After SIGTERM: how long work in flight may take.")


class HealthSettings(Group):
    """/health, /ready and /metrics."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        None, description="None: 8080, and 8081 for the embedding stage; 0 picks a free one."
    )
    max_stall_s: Seconds = Field(
        60.0, description="Unhealthy when work in flight makes no progress for so long, or a batch for ten times that."
    )


class LogSettings(Group):
    """Structured logs on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    trace_file: FilePath | None = Field(
        None, description="Where to write what each thread did when, for a browser's trace viewer; none: nowhere."
    )
    format: Literal["json", "text"] = Field("json", description="`text` is for people.")


class Settings(Group):
    """All groups. `core.environment` reads them."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    topics: TopicSettings = Field(default_factory=TopicSettings)
    contract: ContractSettings = Field(default_factory=ContractSettings)
    enrich: EnrichSettings = Field(default_factory=EnrichSettings)
    chunk: ChunkSettings = Field(default_factory=ChunkSettings)
    model: ModelSettings = Field(default_factory=ModelSettings)
    classify: ClassifySettings = Field(default_factory=ClassifySettings)
    index: IndexSettings = Field(default_factory=IndexSettings)
    writer: WriterSettings = Field(default_factory=WriterSettings)
    health: HealthSettings = Field(default_factory=HealthSettings)
    log: LogSettings = Field(default_factory=LogSettings)
