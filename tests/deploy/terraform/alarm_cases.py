"""For each alarm, by its tag `runbook`: a minute that is wrong, one that is just right, and how long it may be wrong.

They say what people want to be told, apart from the alarm's definition.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml
from msgspec import Struct

from lambdas.contents import FUNCTIONS
from tests.deploy.terraform.workspace import DEPLOY

_SIZES: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "sizes.yaml").read_text())


#: Timeouts of the functions: docs/lambdas.md.
_TIMEOUTS_S: Final = {
    "tickets": 25,
    "responses": 25,
    "outbox": 60,
    "transformation": 300,
    "pre-token": 4,
    "rotation": 900,
    "canary": 30,
    **dict.fromkeys((f"workflow-{name}" for name in FUNCTIONS["workflow"].handlers), 25),
}

#: Nobody can sign in while the trigger fails, and a rotation is called once a month.
_SOONER: Final = {"pre-token": 3, "rotation": 1}


class Case(Struct, frozen=True):
    """The samples for which an alarm must fire, or stay silent.

    Attributes:
        metric: its name.
        bad: samples of a minute that are just beyond the bound.
        good: samples of a minute that are just within it.
        minutes: number of bad minutes in a row after which the alarm fires.
        silence_is_bad: whether the alarm also fires without samples.
    """

    metric: str
    bad: Sequence[float]
    good: Sequence[float]
    minutes: int
    silence_is_bad: bool = False


_CASES: Final[Mapping[str, Case]] = {
    "kafka-offline-partitions": Case("OfflinePartitionsCount", [0, 1], [0, 0], 2),
    "kafka-no-controller": Case("ActiveControllerCount", [0, 0, 0], [0, 1, 0], 5),
    "kafka-disk": Case("KafkaDataLogsDiskUsed", [75.1], [75], 15),
    "kafka-under-replicated": Case("UnderReplicatedPartitions", [1], [0], 15),
    "worker-stale": Case("EstimatedMaxTimeLag", [1, 301], [300, 1], 5),
    "worker-memory": Case("MemoryUtilization", [10, 91], [90, 90], 10),
    "worker-outage": Case("tickets_circuit_state", [0, 1], [0, 0], 5),
    "worker-rejected": Case("tickets_rejected_total", [50, 51], [50, 50], 5),
    "index-node-down": Case("RunningTaskCount", [1, 0], [1, 1], 5, silence_is_bad=True),
    "index-disk": Case("index_disk_used_percent", [75.1], [75], 15, silence_is_bad=True),
    "index-no-majority": Case("HealthyHostCount", [1, 1], [1, 2], 3, silence_is_bad=True),
    "service-errors": Case("HTTPCode_Target_5XX_Count", [5, 6], [5, 5], 5),
    "service-not-ready": Case("HealthyHostCount", [0, 0], [0, 1], 3, silence_is_bad=True),
    "service-memory": Case("MemoryUtilization", [10, 91], [90, 90], 10),
    "service-cache-outage": Case("tickets_circuit_state", [0, 1], [0, 0], 5),
    "service-outbox": Case("tickets_outbox_age_seconds", [0, 121], [120, 120], 3),
    "service-feedback": Case("tickets_feedback_unsent", [0, 1], [0, 0], 15),
    "archive-expired": Case("tickets_expired_records_total", [0, 1], [0, 0], 1),
    "producer-late": Case("tickets_producer_lag_seconds", [5, 601], [600, 600], 10),
    "producer-faulty": Case("tickets_producer_faulty_files", [0, 1], [0, 0], 15),
    "backup-missing": Case("NumberOfBackupJobsCompleted", [0], [1], 240, silence_is_bad=True),
    "copy-late": Case("ReplicationLatency", [10, 601], [600, 600], 5),
    "copy-failed": Case("OperationsFailedReplication", [0, 1], [0, 0], 1),
    "function-throttled": Case("Throttles", [0, 1], [0, 0], 5),
    "function-behind": Case("IteratorAge", [0, 120_001], [120_000], 3),
    "function-dead-letters": Case("ApproximateNumberOfMessagesVisible", [0, 1], [0], 5),
    "canary": Case("tickets_canary_ok", [0], [1], 15, silence_is_bad=True),
    "api-errors": Case("5XXError", [1] * 11, [1] * 10, 5),
    "api-slow": Case("Latency", [10] * 9 + [10_001], [10] * 99 + [10_001], 10),
    "edge-errors": Case("5xxErrorRate", [5.1], [5], 5),
    "edge-refused": Case("BlockedRequests", [1] * 501, [1] * 500, 5),
    "workflow-failures": Case("ApproximateNumberOfMessagesVisible", [0, 1], [0], 5),
    "workflow-failing": Case("ExecutionsFailed", [5, 6], [5, 5], 5),
    "workflow-timed-out": Case("ExecutionsTimedOut", [1], [0], 3),
    "workflow-throttled": Case("ExecutionThrottled", [1], [0], 5),
    "workflow-slow": Case("ExecutionTime", [1] * 9 + [300_001], [1] * 99 + [300_001], 10),
    "encoder-errors": Case("Invocation5XXErrors", [1] * 11, [1] * 10, 5),
    "encoder-slow": Case("ModelLatency", [1] * 9 + [2_000_001], [1] * 99 + [2_000_001], 10),
    "encoder-memory": Case("MemoryUtilization", [10, 91], [90, 90], 10),
    "cache-cpu": Case("EngineCPUUtilization", [90.5, 90.5], [100, 80], 10),
}


#: Cases of alarms that share a runbook.
_BY_METRIC: Final[Mapping[tuple[str, str], Case]] = {
    (runbook, case.metric): case
    for runbook, case in (
        ("table-throttled", Case("ReadThrottleEvents", [0, 1], [0, 0], 5)),
        ("table-throttled", Case("WriteThrottleEvents", [0, 1], [0, 0], 5)),
        ("archive-late", Case("tickets_archive_age_seconds", [300, 601], [600, 600], 3)),
        # The loss of the cluster would lose these events; the recovery point is 15 minutes.
        ("archive-late", Case("EstimatedMaxTimeLag", [1, 901], [900, 900], 5)),
        ("backup-failed", Case("NumberOfBackupJobsFailed", [0, 1], [0, 0], 1)),
        ("backup-failed", Case("NumberOfCopyJobsFailed", [0, 1], [0, 0], 1)),
    )
}


def case_of(alarm: Mapping[str, Any]) -> Case | None:
    """The case of an alarm; None if there is none."""
    runbook, dimensions = alarm["tags"]["runbook"], alarm.get("dimensions") or {}
    if (found := _BY_METRIC.get((runbook, alarm["metric_name"]))) is not None:
        return found
    if runbook == "service-slow":
        slow_s = 5 if "-rag-" in alarm["alarm_name"] else 1  # a language model may need seconds to begin
        return Case("TargetResponseTime", [0.01] * 9 + [slow_s + 0.1], [0.01] * 99 + [slow_s + 0.1], 10)
    if runbook in ("function-errors", "function-slow"):
        return _function_case(alarm["alarm_name"], runbook)
    if runbook in ("worker-lag", "worker-stuck-partition"):
        return _lag_case(dimensions["Consumer Group"], runbook)
    if runbook == "worker-too-few":
        sizes = {**_SIZES["roles"], **_SIZES["services"], **_SIZES["background"]}
        least = next(one["min_tasks"] for name, one in sizes.items() if dimensions["ServiceName"].startswith(name))
        return Case("RunningTaskCount", [least, least - 1], [least, least], 10, silence_is_bad=True)
    return _CASES.get(runbook)


def _lag_case(group: str, runbook: str) -> Case:
    role = next(role for role in _SIZES["roles"].values() if role["group"] == group)
    if runbook == "worker-lag":
        most = role["target_lag"] * role["max_tasks"]
        return Case("SumOffsetLag", [most + 1], [most], 10)
    return Case("MaxOffsetLag", [role["target_lag"] + 1], [role["target_lag"]], 15)


def _function_case(alarm_name: str, runbook: str) -> Case:
    if runbook == "function-errors":
        minutes = next((m for name, m in _SOONER.items() if alarm_name.endswith(f"-{name}-errors")), 5)
        return Case("Errors", [0, 1], [0, 0], minutes)
    timeout_s = next(timeout_s for name, timeout_s in _TIMEOUTS_S.items() if alarm_name.endswith(f"-{name}-slow"))
    return Case("Duration", [1] * 9 + [800 * timeout_s + 1], [1] * 199 + [800 * timeout_s + 1], 10)
