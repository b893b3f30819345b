"""Every metric: its name, kind, help and labels. A test compares them with the output of /metrics."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from msgspec import Struct

MetricName = Literal[
    # counters
    "tickets_records_total",
    "tickets_rejected_total",
    "tickets_acked_total",
    "tickets_retries_total",
    "tickets_rebalances_total",
    "tickets_expired_records_total",
    "tickets_topic_recreations_total",
    "tickets_model_tokens_total",
    "tickets_model_padding_tokens_total",
    "tickets_model_texts_total",
    "tickets_model_seconds_total",
    "tickets_left_out_total",
    "tickets_superseded_total",
    "tickets_searches_cut_total",
    "tickets_http_refused_total",
    "tickets_http_requests_total",
    "tickets_answers_total",
    "tickets_answer_cache_total",
    "tickets_drafts_refused_total",
    "tickets_feedback_total",
    "tickets_auth_refused_total",
    "tickets_auth_unchecked_total",
    "tickets_http_limited_total",
    "tickets_cache_calls_total",
    "tickets_language_model_calls_total",
    "tickets_language_model_tokens_total",
    "tickets_language_model_cost_dollars_total",
    "tickets_outbox_sent_total",
    "tickets_workflow_decisions_total",
    "tickets_producer_records_total",
    "tickets_producer_bytes_total",
    "tickets_archive_files_total",
    "tickets_archive_bytes_total",
    # histograms
    "tickets_batch_size",
    "tickets_step_seconds",
    "tickets_freshness_seconds",
    "tickets_http_seconds",
    "tickets_language_model_seconds",
    "tickets_answer_first_event_seconds",
    # gauges
    "tickets_inflight",
    "tickets_inflight_bytes",
    "tickets_write_concurrency_limit",
    "tickets_circuit_state",
    "tickets_committed_lag",
    "tickets_assigned_partitions",
    "tickets_index_mismatch",
    "tickets_index_missing_records",
    "tickets_index_expired_records",
    "tickets_index_points",
    "tickets_index_tombstones",
    "tickets_index_tickets",
    "tickets_index_room_bytes",
    "tickets_http_inflight",
    "tickets_language_model_circuit_state",
    "tickets_outbox_events",
    "tickets_outbox_age_seconds",
    "tickets_canary_ok",
    "tickets_canary_seconds",
    "tickets_feedback_unsent",
    "tickets_archive_age_seconds",
    "tickets_producer_lag_bytes",
    "tickets_producer_lag_seconds",
    "tickets_producer_open_files",
    "tickets_producer_faulty_files",
    "tickets_producer_tasks",
    "tickets_build_info",
]

METRIC_NAMES: Final[tuple[MetricName, ...]] = get_args(MetricName)

#: Metrics of the process, named as in Prometheus's client libraries. Linux only.
PROCESS_METRICS: Final = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)


class Metric(Struct, frozen=True):
    """One metric. `buckets` are a histogram's upper bounds, in the unit that its name ends with."""

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Sequence[str] = ()
    buckets: Sequence[float] = ()


#: 10 ms to 10 min, each bound 2 to 3 times the previous one.
_FRESHNESS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_STEP: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_CALL: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80)
_BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)

METRICS: Final[dict[MetricName, Metric]] = {
    "tickets_records_total": Metric("counter", "Records read from the broker.", ("topic",)),
    "tickets_rejected_total": Metric("counter", "Records sent to the dead-letter topic.", ("stage", "code")),
    "tickets_acked_total": Metric("counter", "Records whose effect is durable.", ("outcome",)),
    "tickets_retries_total": Metric("counter", "Calls retried after an outage.", ("dependency",)),
    "tickets_rebalances_total": Metric("counter", "Rebalances: partitions assigned, revoked or lost.", ("event",)),
    "tickets_expired_records_total": Metric(
        "counter",
        "Records deleted (by retention, for example) before the group had read them.",
        ("topic", "partition"),
    ),
    "tickets_topic_recreations_total": Metric(
        "counter",
        "Partitions read from the beginning, because the group's offset belonged to a topic that was deleted and "
        "created again.",
        ("topic", "partition"),
    ),
    "tickets_model_tokens_total": Metric("counter", "Tokens embedded, padding excluded."),
    "tickets_model_padding_tokens_total": Metric("counter", "Padding tokens run through the model."),
    "tickets_model_texts_total": Metric(
        "counter", "Texts `embedded` by the model, or found in the vector cache (`cached`).", ("outcome",)
    ),
    "tickets_model_seconds_total": Metric("counter", "Seconds spent in the model, summed over its threads."),
    "tickets_left_out_total": Metric(
        "counter", "`passages` and `attributes` left out of tickets that have too many.", ("what",)
    ),
    "tickets_superseded_total": Metric(
        "counter",
        "Events that were not indexed because the index has a newer version, for example after an event with "
        "a wrong version or time.",
    ),
    "tickets_searches_cut_total": Metric(
        "counter", "Searches of the embedded index that ended early, because a few tickets have most of its passages."
    ),
    "tickets_http_refused_total": Metric(
        "counter", "Requests answered with 503 because too many were waiting.", ("server",)
    ),
    "tickets_http_requests_total": Metric(
        "counter", "Requests answered; 499 are those whose client left first.", ("method", "route", "status")
    ),
    "tickets_answers_total": Metric(
        "counter",
        "Answers by their writer and outcome: `answered`, the reason of a refusal, `failed`, or `left` if the caller "
        "left first.",
        ("writer", "outcome"),
    ),
    "tickets_answer_cache_total": Metric("counter", "Answers looked up in the cache: `hit` or `miss`.", ("outcome",)),
    "tickets_drafts_refused_total": Metric(
        "counter", "Sentences of a writer that did not pass the check, and were not sent.", ("writer", "reason")
    ),
    "tickets_feedback_total": Metric("counter", "Verdicts of agents on answers.", ("verdict",)),
    "tickets_auth_refused_total": Metric("counter", "Access tokens refused.", ("reason",)),
    "tickets_auth_unchecked_total": Metric("counter", "Requests answered without a check for ended sign-ins."),
    "tickets_http_limited_total": Metric("counter", "Requests answered with 429.", ("limit",)),
    "tickets_cache_calls_total": Metric(
        "counter", "Calls of the shared cache; in an outage they fail, but the request doesn't.", ("outcome",)
    ),
    "tickets_language_model_calls_total": Metric(
        "counter",
        "Calls of language models, by attempt: `answered`, `filtered`, `stopped` by the caller, or the kind of "
        "failure.",
        ("model", "outcome"),
    ),
    "tickets_language_model_tokens_total": Metric(
        "counter",
        "Tokens of language models, `input` and `output`; estimated if the model doesn't count them.",
        ("model", "direction"),
    ),
    "tickets_language_model_cost_dollars_total": Metric(
        "counter", "Cost of those tokens in dollars, by TICKETS_LANGUAGE_MODEL__PRICES.", ("model",)
    ),
    "tickets_outbox_sent_total": Metric("counter", "Ticket API: changes that the broker has acknowledged."),
    "tickets_workflow_decisions_total": Metric(
        "counter", "Workflow: decisions about new tickets, by reason.", ("decision", "reason")
    ),
    "tickets_producer_records_total": Metric("counter", "Producer: records that the broker has acknowledged."),
    "tickets_producer_bytes_total": Metric(
        "counter", "Producer: bytes of the files that were sent or rejected; of packed ones, unpacked."
    ),
    "tickets_archive_files_total": Metric("counter", "Archive: files that are durable and listed in the manifest."),
    "tickets_archive_bytes_total": Metric("counter", "Archive: size of those files, compressed."),
    "tickets_batch_size": Metric("histogram", "Records per batch.", (), _BATCH),
    "tickets_step_seconds": Metric("histogram", "Duration of a step for a batch.", ("step",), _STEP),
    "tickets_freshness_seconds": Metric(
        "histogram",
        "Time from `event` (updated_at) or `broker` (record time) until searchable.",
        ("since",),
        _FRESHNESS,
    ),
    "tickets_http_seconds": Metric(
        "histogram", "Duration of a request, to the end of its response.", ("method", "route"), _STEP
    ),
    "tickets_language_model_seconds": Metric(
        "histogram", "Duration of a language model's call, to its end or failure.", ("model",), _CALL
    ),
    "tickets_answer_first_event_seconds": Metric(
        "histogram", "Time from a question to the first event of its answer, its sources.", (), _STEP
    ),
    "tickets_inflight": Metric("gauge", "Records read and not yet acked."),
    "tickets_inflight_bytes": Metric("gauge", "Bytes of the records read and not yet acked."),
    "tickets_write_concurrency_limit": Metric("gauge", "Current adaptive limit of concurrent writes.", ("dependency",)),
    "tickets_circuit_state": Metric("gauge", "Circuit breaker: 0 closed, 1 half-open, 2 open.", ("dependency",)),
    "tickets_committed_lag": Metric(
        "gauge", "Last known end offset minus first unfinished offset.", ("topic", "partition")
    ),
    "tickets_assigned_partitions": Metric("gauge", "Partitions assigned to this worker.", ("topic",)),
    "tickets_index_mismatch": Metric(
        "gauge", "1 if the index doesn't match the group's offsets; /ready has the reason.", ()
    ),
    "tickets_index_missing_records": Metric(
        "gauge", "Records that were acked and that the index must read again; its searches are refused until then."
    ),
    "tickets_index_expired_records": Metric(
        "gauge", "Records that were deleted from the topic before they were read, as noted in the index."
    ),
    "tickets_index_points": Metric("gauge", "Points in the index, tombstones included; counted every 30 s."),
    "tickets_index_tombstones": Metric("gauge", "Tombstones in the index; counted every 30 s."),
    "tickets_index_tickets": Metric("gauge", "Tickets in the index that are not deleted; counted every 30 s."),
    "tickets_index_room_bytes": Metric(
        "gauge",
        "Free bytes on the embedded index's file system minus TICKETS_INDEX__MIN_FREE_MIB; the stream waits while it "
        "is negative.",
        ("path",),
    ),
    "tickets_http_inflight": Metric("gauge", "Requests that are being answered or wait."),
    "tickets_language_model_circuit_state": Metric(
        "gauge", "Circuit breaker of a language model: 0 closed, 1 half-open, 2 open.", ("model",)
    ),
    "tickets_outbox_events": Metric("gauge", "Ticket API: changes that wait for the broker."),
    "tickets_outbox_age_seconds": Metric(
        "gauge", "Ticket API: age of the oldest change that waits for the broker; 0 if none waits."
    ),
    "tickets_canary_ok": Metric(
        "gauge", "Canary: 1 if the last search (or answer) through the public address succeeded.", ("check",)
    ),
    "tickets_canary_seconds": Metric("gauge", "Canary: duration of the check, the sign-in included.", ("check",)),
    "tickets_feedback_unsent": Metric("gauge", "Verdicts that tickets.feedback does not have yet."),
    "tickets_archive_age_seconds": Metric(
        "gauge", "Archive: time since the oldest record was read that is not durable there; 0 if there is none."
    ),
    "tickets_producer_lag_bytes": Metric(
        "gauge", "Producer: bytes of all files that are not sent yet, as each task sees them; of packed files, all."
    ),
    "tickets_producer_lag_seconds": Metric(
        "gauge", "Producer: how long the file that waits longest has had unsent bytes, as each task sees it."
    ),
    "tickets_producer_open_files": Metric("gauge", "Producer: files that this task reads."),
    "tickets_producer_faulty_files": Metric(
        "gauge", "Producer: files that can't be read as a whole; the log names them, and they are tried again."
    ),
    "tickets_producer_tasks": Metric("gauge", "Producer: living tasks, which share the rate."),
    "tickets_build_info": Metric("gauge", "Always 1; the labels have the versions.", ("version", "model", "contract")),
}
