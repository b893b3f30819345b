"""Settings of the services, their authentication, cache and limits."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from core.setting_types import FilePath, Group, Positive, Seconds, Url, default_data


class RagSettings(Group):
    """The RAG service: search and answers over HTTP."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8082, description="Port; 0 picks a free one.")
    max_concurrent: Positive = Field(16, description="Maximum concurrent requests; a stream counts until its end.")
    max_waiting: Positive = Field(
        64, description="Maximum requests that wait for their turn, up to 2 s; further ones are answered with 503."
    )
    timeout_s: Seconds = Field(60.0, description="Maximum time of an answer or a search.")
    feedback_store: Literal["sqlite", "dynamodb"] = Field(
        "sqlite",
        description="Where answers and agents' verdicts are kept: `sqlite` is a file of this machine, for one process; "
        "`dynamodb` has a table.",
    )
    feedback_file: FilePath = Field(
        default_factory=lambda: default_data() / "feedback.db",
        description="File of answers and verdicts, with SQLite; the service creates it.",
    )
    table_prefix: str = Field("", description="With DynamoDB: prefix of the name of the table Feedback.")
    aws_region: str | None = Field(None, description="With DynamoDB: AWS region; by default boto3's.")


class AuthSettings(Group):
    """The access tokens that the HTTP services accept."""

    issuer: Url | None = Field(
        None,
        description="Issuer of access tokens, as their `iss` claim has it. For Cognito: "
        "https://cognito-idp.REGION.amazonaws.com/POOL. The HTTP services need it.",
    )
    jwks_url: Url | None = Field(
        None, description="URL of the issuer's keys; by default the issuer's URL followed by /.well-known/jwks.json."
    )
    audiences: str = Field("", description="Accepted audiences (`aud`), comma-separated; empty leaves `aud` unchecked.")
    client_ids: str = Field(
        "",
        description="Accepted clients (`client_id`, as in Cognito's access tokens), comma-separated; empty leaves it "
        "unchecked. The HTTP services need audiences or clients, and check both if both are set.",
    )


class SessionSettings(Group):
    """The store of ended sign-ins, which the HTTP services check."""

    store: Literal["memory", "sqlite", "dynamodb"] = Field(
        "memory",
        description="Where ended sign-ins are kept: `memory` is each process's own, `sqlite` a file that the services "
        "of this machine share, `dynamodb` a table that all share.",
    )
    path: FilePath = Field(
        default_factory=lambda: default_data() / "sessions.db", description="File of ended sign-ins, with SQLite."
    )
    table_prefix: str = Field("", description="With DynamoDB: prefix of the name of the table UserSessions.")
    aws_region: str | None = Field(None, description="With DynamoDB: AWS region; by default boto3's.")
    keep_days: Positive = Field(
        30, description="Days for which an ended sign-in is kept: at least the validity of the issuer's refresh tokens."
    )


class ApiSettings(Group):
    """The ticket API: where it listens, and where it keeps tickets."""

    host: str = Field("127.0.0.1", description="Address that the ticket API listens on; 0.0.0.0 in a container.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        8083, description="Port of the ticket API; 0 picks a free one."
    )
    store: Literal["sqlite", "dynamodb"] = Field(
        "sqlite", description="Store of the tickets: `sqlite` (a file of this machine) or `dynamodb`."
    )
    path: FilePath = Field(
        default_factory=lambda: default_data() / "tickets.db", description="File of the tickets, with SQLite."
    )
    table_prefix: str = Field(
        "",
        description="With DynamoDB: prefix of the names of the tables Tickets and TicketMetadata.",
    )
    aws_region: str | None = Field(None, description="With DynamoDB: AWS region; by default boto3's.")
    max_outbox_events: Positive = Field(
        10_000, description="Maximum changes that wait for the broker; beyond it changes are answered with 503."
    )
    closed_status: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        "closed", description="Status that a closed ticket gets."
    )


class CacheSettings(Group):
    """The cache and the counts of rate limits: in each process, or on a Redis or Valkey server when `url` is set."""

    url: Url | None = Field(
        None,
        description="Redis or Valkey server that the processes share, rediss://HOST:PORT/DATABASE, or redis:// without "
        "TLS. Without it each process has its own cache and counts.",
    )
    username: str | None = Field(
        None, description="User name on the server; leave it out if the server has only a password."
    )
    password: SecretStr | None = Field(None, description="Password on the server.")
    ssl_ca_file: FilePath | None = Field(
        None, description="PEM file of the CA certificates to trust with rediss://; by default the system's."
    )
    aws_cluster: str | None = Field(
        None,
        description="ElastiCache cluster (replication group) whose user authenticates with the IAM role of the "
        "process, in place of a password.",
    )
    aws_region: str | None = Field(None, description="AWS region of that cluster.")
    timeout_s: Seconds = Field(
        0.25, description="Timeout of a call; after a few timeouts in an outage, requests skip the server."
    )
    memory_mib: Positive = Field(64, description="Size of a process's own cache if there is no server, in MiB.")


class LimitSettings(Group):
    """Rate limits of the HTTP services: requests in any window, beyond which they are answered with 429."""

    window_s: Seconds = Field(300.0, description="Length of the window, in seconds.")
    user_requests: Positive = Field(1_000, description="Requests of a user in a window.")
    tenant_requests: Positive = Field(1_000, description="Requests of a tenant in a window.")
    address_requests: Positive = Field(
        1_000, description="Requests of a network address in a window, refused ones included; an IPv6 /64 is one."
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = Field(
        0,
        description="Proxies in front of the services, each of which appends to X-Forwarded-For: 1 behind a load "
        "balancer. With 0 the header is ignored.",
    )


class ProducerSettings(Group):
    """The producer service: where it reads, how fast, and where its checkpoints are kept."""

    sources: str = Field(
        "",
        description="Folders, patterns such as /data/in/*.jsonl, and s3://bucket/prefix or s3://bucket/*.csv, "
        "comma-separated. All tasks have the same.",
    )
    format: Literal["auto", "jsonl", "csv"] = Field(
        "auto", description="Format of the files; `auto` reads those whose name ends in .csv or .csv.gz as CSV."
    )
    map: str = Field(
        "", description="For CSV: items as of `produce --map`, separated by semicolons: `ticket_id=id;tenant_id:=acme`."
    )
    day_first: bool | None = Field(
        None, description="For CSV: whether 01/02/2026 is 1 February; unset, such a row is rejected."
    )
    zone: str = Field("UTC", description="For CSV: time zone of times that name none, e.g. Europe/Berlin.")
    rate: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Maximum number of records per second of all tasks together; by default unlimited."
    )
    store: Literal["sqlite", "dynamodb"] = Field(
        "sqlite", description="Where checkpoints are kept: `sqlite` is for tasks of one machine."
    )
    path: FilePath = Field(
        default_factory=lambda: default_data() / "producer.db", description="File of the checkpoints, with SQLite."
    )
    table: str = Field("", description="Table of the checkpoints, with DynamoDB.")
    aws_region: str | None = Field(None, description="With DynamoDB: AWS region; by default boto3's.")
    scan_s: Seconds = Field(5.0, description="Time between two scans of the sources for new and grown files.")
    settle_s: Seconds = Field(
        30.0, description="A last line without a line break counts when its file has not grown for this long."
    )
    lease_s: Annotated[float, Field(ge=3)] = Field(
        30.0, description="After this time another task takes over the files of one that died."
    )
