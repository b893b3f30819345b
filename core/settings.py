"""Every setting, with its default. A function receives its own group; `core.environment` reads them all.

A variable is `TICKETS_<GROUP>__<NAME>`, for example `TICKETS_KAFKA__BROKERS`.
"""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from core import service_settings as services
from core.archive_settings import ArchiveSettings
from core.client_settings import CanarySettings, ClientSettings, McpSettings, WebSettings
from core.language_model_settings import LanguageModelSettings
from core.model_settings import ClassifySettings, ModelSettings
from core.setting_types import FilePath, Group, Positive, Seconds, Url, default_data
from core.telemetry_settings import HealthSettings, LogSettings, TracingSettings
from core.topic_settings import TopicSettings
from core.workflow_settings import WorkflowSettings


class KafkaSettings(Group):
    """The broker, the consumer group and authentication."""

    brokers: Url = Field("localhost:9092", description="Bootstrap servers, host:port, comma-separated.")
    group: str = Field("ticketstream", description="Consumer group. Workers of one group share the partitions.")
    group_protocol: Literal["classic", "consumer"] = Field(
        "classic",
        description="Rebalance protocol: `classic` works with every broker; `consumer` (KIP-848) needs Kafka 4.",
    )
    assignment_strategy: Literal["cooperative-sticky", "range"] = Field(
        "cooperative-sticky", description="Partition assignor of the classic protocol."
    )
    session_timeout_s: Seconds = Field(
        10.0, description="Classic protocol: a worker that sends no heartbeat for this long loses its partitions."
    )
    max_poll_interval_s: Seconds = Field(
        300.0, description="A worker that does not poll for this long leaves the consumer group."
    )
    prefetch_kib: Positive = Field(16_384, description="Maximum data that the client prefetches, in KiB.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Security protocol of the broker connection."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"] | None = Field(
        None,
        description="Mechanism for the SASL protocols; AWS_MSK_IAM authenticates with the IAM role of the process.",
    )
    sasl_username: str | None = Field(None, description="User name for PLAIN and SCRAM.")
    sasl_password: SecretStr | None = Field(None, description="Password for PLAIN and SCRAM.")
    ssl_ca_file: FilePath | None = Field(None, description="PEM file of the trusted CA certificates.")
    ssl_certificate_file: FilePath | None = Field(None, description="PEM file of the certificate for mutual TLS.")
    ssl_key_file: FilePath | None = Field(None, description="PEM file of the client's private key, for mutual TLS.")
    ssl_key_password: SecretStr | None = Field(None, description="Passphrase of the private key.")
    aws_region: str | None = Field(None, description="AWS region of the MSK cluster, for AWS_MSK_IAM.")
    extra: dict[str, str] = Field(
        default_factory=dict,
        description="Further librdkafka options as a JSON object; they override the built-in ones, except those on "
        "which delivery rests.",
    )
    commit_interval_s: Seconds = Field(0.5, description="Time between offset commits.")
    startup_timeout_s: Seconds = Field(10.0, description="How long the worker waits for the broker when it starts.")


class ContractSettings(Group):
    """Limits of an event. A record beyond them is rejected."""

    version_source: Literal["version", "updated_at"] = Field(
        "version",
        description="Field that orders the changes of a ticket; `updated_at` (in ms) is for sources without versions.",
    )
    max_ahead_s: Annotated[float, Field(gt=0)] = Field(
        86_400.0, description="Maximum lead of an `updated_at` that orders changes over the record's timestamp."
    )
    max_record_bytes: Positive = Field(1_000_000, description="Maximum size of a record's value, in bytes.")
    max_depth: Positive = Field(16, description="Maximum nesting depth of the JSON.")
    max_messages: Positive = Field(1_000, description="Maximum messages of a ticket.")
    max_tags: Positive = Field(100, description="Maximum tags of a ticket.")


class EnrichSettings(Group):
    """Customer context."""

    customers_file: FilePath | None = Field(
        None,
        description="JSONL file of {tenant_id, customer_id, ...facts}; without it tickets get no customer context.",
    )


class ChunkSettings(Group):
    """Splitting of tickets into passages."""

    max_tokens: Annotated[int, Field(ge=16)] | None = Field(
        None, description="Maximum tokens of a passage; by default the model's maximum."
    )
    overlap_tokens: Annotated[int, Field(ge=0)] = Field(
        32, description="Tokens that consecutive passages of a split text share."
    )
    max_passages: Annotated[int, Field(ge=16)] = Field(
        1_000, description="Maximum passages of a ticket; beyond it the longest messages lose their ends."
    )


class IndexSettings(Group):
    """The vector index: embedded in this process, or a Qdrant server when `url` is set."""

    path: FilePath = Field(
        default_factory=lambda: default_data() / "index", description="Folder of the embedded index."
    )
    min_free_mib: Positive = Field(
        256,
        description="Minimum free disk space, in MiB: below it the embedded index isn't written, and the stream waits.",
    )
    url: Url | None = Field(None, description="URL of a Qdrant server's gRPC port, for example http://localhost:6334.")
    api_key: SecretStr | None = Field(None, description="API key of the Qdrant server.")
    collection: str = Field("tickets", description="Collection on the Qdrant server.")
    timeout_s: Seconds = Field(10.0, description="Timeout of a call to the Qdrant server.")
    on_mismatch: Literal["stop", "reread"] = Field(
        "stop",
        description="If the index lacks records that the group has committed (it was lost, or restored from an older "
        "copy) or the topic was created again: `stop` ends the worker, `reread` reads again from the index's "
        "positions.",
    )
    replication_factor: Positive = Field(1, description="Replication factor of a collection that the worker creates.")
    shards: Positive = Field(1, description="Shards of a collection that the worker creates.")
    size: Literal["small", "medium", "large"] = Field(
        "medium",
        description="Size class: `small` keeps vectors, graph and filters in memory; `medium` keeps int8 copies of the "
        "vectors instead; `large` keeps only these. On a server it applies to collections that the worker creates.",
    )
    index_after_points: Annotated[int, Field(ge=0)] = Field(
        20_000,
        description="Embedded: index the vectors in the background when this many points, and a tenth of all, have "
        "been written since the last time; 0 disables it.",
    )

    @property
    def where(self) -> str:
        """The index's folder or collection, as messages name it."""
        return str(self.path) if self.url is None else f"collection {self.collection}"


class SearchSettings(Group):
    """Ranking of search results. Each factor multiplies a score by 1 to 1 plus the setting; 0 disables it."""

    words: bool = Field(True, description="Whether a search uses words as well as meaning; false is for comparisons.")
    solved_factor: Annotated[float, Field(ge=0, le=0.1)] = Field(
        0.03, description="Factor of tickets that are solved and were not reopened."
    )
    recent_factor: Annotated[float, Field(ge=0, le=0.1)] = Field(
        0.02, description="Factor of tickets that have just changed; it halves every `recent_half_life_days`."
    )
    recent_half_life_days: Annotated[float, Field(gt=0)] = Field(
        90.0, description="Age at which half of `recent_factor` is left, in days."
    )
    useful_factor: Annotated[float, Field(ge=0, le=0.1)] = Field(
        0.05,
        description="RAG service: factor of tickets by agents' verdicts on answers that cite them. Discarded answers "
        "lower it, down to 1 minus the setting.",
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        0.4, description="Confidence below which a search says that it found nothing; 0 disables it."
    )
    solved_statuses: str = Field(
        "solved,closed,resolved",
        description="Statuses of solved tickets, comma-separated. Tenants with other statuses follow after semicolons: "
        "`solved,closed;acme=done,fixed`. `ticketstream rebuild` applies a change to indexed tickets.",
    )


class WriterSettings(Group):
    """Batch size and limits on work in flight."""

    max_batch_records: Positive = Field(256, description="Maximum records of a batch.")
    max_batch_delay_ms: Annotated[int, Field(ge=0, le=10_000)] = Field(
        50,
        description="Maximum time that a poll waits for the first record; the batch contains the records that have "
        "arrived by then.",
    )
    max_inflight_records: Positive = Field(2_048, description="Maximum records read and not yet acked.")
    max_inflight_bytes: Positive = Field(64 * 2**20, description="Maximum bytes of records read and not yet acked.")
    max_concurrent_batches: Positive = Field(4, description="Maximum concurrent batches.")
    backoff_max_s: Seconds = Field(3.0, description="Maximum wait before a retry.")
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.9, description="Stop the worker if this share of the last 1,000 records is rejected; 0 disables the check."
    )
    drain_timeout_s: Seconds = Field(20.0, description="Maximum time to finish the work in flight after SIGTERM.")


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
    search: SearchSettings = Field(default_factory=SearchSettings)
    language_model: LanguageModelSettings = Field(default_factory=LanguageModelSettings)
    writer: WriterSettings = Field(default_factory=WriterSettings)
    health: HealthSettings = Field(default_factory=HealthSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    client: ClientSettings = Field(default_factory=ClientSettings)
    mcp: McpSettings = Field(default_factory=McpSettings)
    canary: CanarySettings = Field(default_factory=CanarySettings)
    log: LogSettings = Field(default_factory=LogSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
    auth: services.AuthSettings = Field(default_factory=services.AuthSettings)
    sessions: services.SessionSettings = Field(default_factory=services.SessionSettings)
    cache: services.CacheSettings = Field(default_factory=services.CacheSettings)
    limits: services.LimitSettings = Field(default_factory=services.LimitSettings)
    api: services.ApiSettings = Field(default_factory=services.ApiSettings)
    rag: services.RagSettings = Field(default_factory=services.RagSettings)
    producer: services.ProducerSettings = Field(default_factory=services.ProducerSettings)
    archive: ArchiveSettings = Field(default_factory=ArchiveSettings)
    workflow: WorkflowSettings = Field(default_factory=WorkflowSettings)
