"""Settings of logs, traces and health."""

from typing import Annotated, Literal

from pydantic import Field

from core.setting_types import FilePath, Group, HttpUrl, Seconds


class LogSettings(Group):
    """Structured logs on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Minimum level of the messages.")
    trace_file: FilePath | None = Field(None, description="Trace of every thread, in Chrome's trace event format.")
    format: Literal["json", "text"] = Field("json", description="`json` is for log collectors, `text` for people.")


class TracingSettings(Group):
    """Traces of requests and tickets, sent to an OpenTelemetry collector."""

    endpoint: HttpUrl | None = Field(
        None,
        description="URL that spans are sent to as OTLP in JSON, e.g. http://127.0.0.1:4318/v1/traces; by default "
        "none are sent.",
    )
    ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="Share of the traces that are sampled. A caller's decision (`traceparent`) is kept."
    )


class HealthSettings(Group):
    """/health, /ready and /metrics."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        None, description="Port; by default 8080, or 8081 for the embedding role. 0 picks a free one."
    )
    max_stall_s: Seconds = Field(
        60.0,
        description="Report unhealthy if there has been no poll, or no progress of the work in flight, for this long; "
        "a single batch may take ten times as long.",
    )
