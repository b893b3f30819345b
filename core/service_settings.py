"""Settings of the HTTP services and of what they call."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from core.setting_types import FilePath, Group, Positive, Seconds, Url, default_data


class RagSettings(Group):
    """The RAG service: search and answers over HTTP."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8082, description="Port; 0 picks a free one.")
    max_concurrent: Positive = Field(
        16, description="Maximum requests that are answered at a time; a stream counts until its end."
    )
    max_waiting: Positive = Field(
        64, description="Maximum requests that wait for their turn, up to 2 s; further ones are answered with 503."
    )
    timeout_s: Seconds = Field(60.0, description="Maximum time of an answer or a search.")
    feedback_file: FilePath = Field(
        default_factory=lambda: default_data() / "feedback.db",
        description="SQLite file of answers and agents' verdicts, which the service creates.",
    )


class AuthSettings(Group):
    """The access tokens that the HTTP services accept."""

    issuer: Url | None = Field(
        None,
        description="Issuer of access tokens, as their `iss` claim has it. For Cognito: "
        "https://cognito-idp.REGION.amazonaws.com/POOL. The HTTP services need it.",
    )
    jwks_url: Url | None = Field(
        None, description="URL of the issuer's keys; by default the issuer's with /.well-known/jwks.json after it."
    )
    audiences: str = Field("", description="Accepted audiences (`aud`), comma-separated; empty leaves `aud` unchecked.")
    client_ids: str = Field(
        "",
        description="Accepted clients (`client_id`, as in Cognito's access tokens), comma-separated; empty leaves it "
        "unchecked. The HTTP services need audiences or clients, and check both if both are set.",
    )


class ApiSettings(Group):
    """The ticket API: where it listens, and where it keeps tickets."""

    host: str = Field("127.0.0.1", description="Address that the ticket API listens on; 0.0.0.0 in a container.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8083, description="Its port; 0 picks a free one.")
    store: Literal["sqlite", "dynamodb"] = Field(
        "sqlite", description="Where tickets are kept: `sqlite` is a file of this machine; `dynamodb` has tables."
    )
    path: FilePath = Field(
        default_factory=lambda: default_data() / "tickets.db", description="File of the tickets, with SQLite."
    )
    table_prefix: str = Field(
        "",
        description="With DynamoDB: what the names of the tables Tickets, TicketMetadata and UserSessions begin with.",
    )
    aws_region: str | None = Field(None, description="With DynamoDB: AWS region; by default boto3's.")
    max_outbox_events: Positive = Field(
        10_000, description="Changes that may wait for the broker. With more, changes are answered with 503."
    )
    closed_status: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        "closed", description="Status that closing a ticket gives it."
    )


class CacheSettings(Group):
    """The cache and the counts of rate limits: in each process, or on a Redis or Valkey server when `url` is set."""

    url: Url | None = Field(
        None,
        description="Redis or Valkey server that the processes share, rediss://HOST:PORT/DATABASE, or redis:// without "
        "TLS. Without it each process has a cache and counts of its own.",
    )
    username: str | None = Field(None, description="User name on the server; none for a password alone.")
    password: SecretStr | None = Field(None, description="Password on the server.")
    ssl_ca_file: FilePath | None = Field(
        None, description="PEM file of the CA certificates to trust with rediss://; by default the system's."
    )
    timeout_s: Seconds = Field(
        0.25, description="Timeout of a call; in an outage requests go on without the server after a few."
    )
    memory_mib: Positive = Field(64, description="Size of the cache of a process without a server, in MiB.")


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
