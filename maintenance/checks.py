"""Checks the requirements of a stream: settings, broker, topics, consumer group, model and index."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Final

from msgspec import Struct

from connectors.kafka.admin import open_cluster
from connectors.kafka.batches import remedy, unbounded
from connectors.kafka.topics import load_topics
from connectors.qdrant.engine import NoIndexError
from core.environment import load_settings
from core.errors import EXIT_OK, ConfigError, FatalError, TicketstreamError, UnavailableError
from core.settings import Settings
from maintenance.workers import WorkersLog
from runtime.labels import describe_labeller
from runtime.model import check_remote_model, describe_model
from runtime.searcher import open_searcher

_TIME_TYPE: Final = "message.timestamp.type"
#: The option in Kafka 3.6 and later, and in earlier versions.
_TIME_BOUNDS: Final = ("message.timestamp.after.max.ms", "message.timestamp.difference.max.ms")
_HOUR_MS: Final = 3_600_000


class Finding(Struct, frozen=True):
    """The result of a check. `detail` has the state, or the fault and what to do."""

    check: str
    healthy: bool
    detail: str
    exit_code: int = EXIT_OK


def check_stream() -> Iterator[Finding]:
    """Run the checks in order. One that depends on a failed one is skipped: each fault is reported once."""
    try:
        settings = load_settings()
    except TicketstreamError as error:
        yield Finding("configuration", healthy=False, detail=str(error), exit_code=error.exit_code)
        return
    yield Finding("configuration", healthy=True, detail="every TICKETS_* variable is known and well-formed")
    failed: set[str] = set()
    for name, check in _CHECKS.items():
        if failed.intersection(_NEEDS.get(name, ())):
            failed.add(name)
            continue
        try:
            yield Finding(name, healthy=True, detail=check(settings))
        except TicketstreamError as error:
            failed.add(name)
            yield Finding(name, healthy=False, detail=str(error), exit_code=error.exit_code)


def _broker(settings: Settings) -> str:
    return f"{open_cluster(settings.kafka).brokers()} broker(s) at {settings.kafka.brokers}"


def _topics(settings: Settings) -> str:
    declared = [spec.name for spec in load_topics(None, names=settings.topics)]
    raw = settings.topics.raw
    cluster = open_cluster(settings.kafka)
    present = cluster.require_topics(list(dict.fromkeys([raw, settings.topics.dlq, *declared])))
    options = cluster.options(raw)
    _check_retention(settings, options)
    _check_times(settings, options)
    for name in (settings.topics.dlq, settings.topics.enriched, settings.topics.embedded):
        _check_policy(name, cluster.options(name) if name in present else {})
    if unbounded(options):
        raise ConfigError(
            f"{raw} stores compressed batches, and a batch of a megabyte can take more than a gigabyte of a "
            f"worker's memory; run {remedy(raw)}"
        )
    unseen = "" if options else f"; the options of {raw} can't be seen, so its retention and compression are unchecked"
    return ", ".join(f"{name} ({partitions} partitions)" for name, partitions in present.items()) + unseen


def _check_retention(settings: Settings, options: Mapping[str, str]) -> None:
    """The log must hold every event, or no index can be rebuilt from it.

    Raises:
        ConfigError: it doesn't.
    """
    raw = settings.topics.raw
    kept = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
    wrong = {name: options[name] for name, wanted in kept.items() if options.get(name, wanted) != wanted}
    if wrong:
        found = ", ".join(f"{name}={value}" for name, value in wrong.items())
        wanted = ",".join(f"{name}={kept[name]}" for name in wrong)
        raise ConfigError(
            f"{raw} doesn't keep every event ({found}), so an index rebuilt from it would lack tickets; "
            f"kafka-configs.sh --alter --entity-type topics --entity-name {raw} --add-config {wanted}"
        )


def _check_policy(topic: str, options: Mapping[str, str]) -> None:
    """A topic of several records of one key must keep them all until they expire.

    Raises:
        ConfigError: it is compacted.
    """
    policy = options.get("cleanup.policy", "delete")
    if "compact" in policy:
        raise ConfigError(
            f"{topic} is compacted (cleanup.policy={policy}), which drops all but the last record of a ticket; "
            f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config cleanup.policy=delete"
        )


def _check_times(settings: Settings, options: Mapping[str, str]) -> None:
    """The broker must bound the timestamps of records if these bound `updated_at`, as the version.

    Raises:
        ConfigError: it takes records of any year.
    """
    raw, most_ms = settings.topics.raw, int(1000 * settings.contract.max_ahead_s)
    if settings.contract.version_source != "updated_at" or options.get(_TIME_TYPE) == "LogAppendTime":
        return
    bounds = [int(options[name]) for name in _TIME_BOUNDS if options.get(name, "").isdecimal()]
    if bounds and min(bounds) > most_ms:
        raise ConfigError(
            f"{raw} takes records of any date, and TICKETS_CONTRACT__VERSION_SOURCE is updated_at, so one dated 9999 "
            "would outrank all later events of its ticket; kafka-configs.sh --alter --entity-type topics --entity-name "
            f"{raw} --add-config {_TIME_BOUNDS[0]}={min(most_ms, _HOUR_MS)}"
        )


def _group(settings: Settings) -> str:
    lags = open_cluster(settings.kafka).lag(settings.topics.raw, settings.kafka.group)
    expired = sum(lag.expired for lag in lags)
    if expired:
        raise FatalError(
            f"{expired:,} records of {settings.topics.raw} were deleted before {settings.kafka.group} had read them; "
            "send their tickets again (docs/runbooks.md, TicketsExpired)"
        )
    return f"{settings.kafka.group} is {sum(lag.lag for lag in lags):,} records behind"


def _model(settings: Settings) -> str:
    model = describe_model(settings.model)
    if settings.model.remote:
        check_remote_model(settings.model)
        return f'Amazon Bedrock answers for {model.stamp}; the threshold of "nothing found" is not calibrated for it'
    if not model.ready:
        return f"{model.name} is not fetched yet; `ticketstream model fetch` or the first start does that"
    return f"{model.stamp or model.name} is ready"


def _labels(settings: Settings) -> str:
    model = describe_model(settings.model)
    if model.stamp is None:
        return "not checked, because the model is not fetched yet"
    return describe_labeller(settings.classify, model=model.stamp, cache=settings.model.cache_dir)


def _index(settings: Settings) -> str:
    if not describe_model(settings.model).ready:
        return "not checked, because the model is not fetched yet"
    try:
        with ExitStack() as stack:
            status = open_searcher(settings, stack).status()
    except NoIndexError as missing:
        return str(missing)
    return f"{status.tickets:,} tickets; {status.points:,} points, {status.tombstones:,} of them tombstones"


def _offsets(settings: Settings) -> str:
    workers = WorkersLog(settings, split=False)
    committed = workers.committed()
    try:
        with ExitStack() as stack:
            status = open_searcher(settings, stack).status()
    except NoIndexError:
        status = None
    fault = workers.fault_of(status, committed)
    if fault is not None:
        raise UnavailableError(f"{fault}; start a worker, whose error says what to do")
    return "the index holds every record that the group has committed"


_CHECKS: Final[dict[str, Callable[[Settings], str]]] = {
    "broker": _broker,
    "topics": _topics,
    "consumer group": _group,
    "model": _model,
    "labels": _labels,
    "index": _index,
    "index and offsets": _offsets,
}
_NEEDS: Final = {
    "topics": ("broker",),
    "consumer group": ("topics",),
    "labels": ("model",),
    "index": ("model",),
    "index and offsets": ("broker", "index"),
}
