"""Administration of a cluster: checks that it answers, lists, describes and creates topics."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, not declared
    AdminClient,
    ClusterMetadata,
    ConfigResource,
    NewTopic,
)

from connectors.kafka.clients import open_client
from connectors.kafka.faults import ClientErrors, denied
from connectors.kafka.group_admin import GroupAdmin
from connectors.kafka.lag import PartitionLag
from connectors.kafka.options import client_options
from core.errors import UnavailableError
from core.provenance import LogIdentity
from core.settings import KafkaSettings

_POLL_S: Final = 0.5
#: Seconds to wait for a new topic to be known by all brokers.
_SPREADS_S: Final = 2.0
#: The id of a topic if the broker has no ids: 16 bytes of zeros.
_NO_ID: Final = "AAAAAAAAAAAAAAAAAAAAAA"


def broker_answers(address: str, *, timeout_s: float) -> bool:
    """Whether an unsecured broker at `address` answers within `timeout_s`."""
    client = AdminClient({"bootstrap.servers": address, "log_level": 0, "reconnect.backoff.ms": 20})
    try:
        client.list_topics(timeout=timeout_s)
    except KafkaException:
        return False
    return True


class Cluster:
    """Administration of a cluster. Its UnavailableErrors are one line that says what to do."""

    def __init__(self, client: AdminClient, *, settings: KafkaSettings, errors: ClientErrors) -> None:
        """Administer through `client`, which reports to `errors`; see `open_cluster`."""
        self._admin = client
        self._settings = settings
        self._errors = errors
        self._groups = GroupAdmin(client, settings)

    def topics(self) -> dict[str, int]:
        """The number of partitions of every topic.

        Raises:
            UnavailableError: no broker answers within the start-up timeout, or it refuses us.
        """
        return {name: len(topic.partitions) for name, topic in self._listed().topics.items()}

    def _listed(self) -> ClusterMetadata:
        deadline = time.monotonic() + self._settings.startup_timeout_s
        while True:
            left = deadline - time.monotonic()
            try:
                return self._admin.list_topics(timeout=max(0.1, min(_POLL_S * 4, left)))
            except KafkaException as error:
                self._admin.poll(0)  # runs the error callback
                if left <= 0 or self._errors.denial is not None:
                    raise UnavailableError(self._why(error.args[0])) from None

    def require_topics(self, names: Sequence[str]) -> dict[str, int]:
        """Partitions of each of `names`; waits two seconds for missing ones, which may be new.

        Raises:
            UnavailableError: no broker answers, or a topic is missing.
        """
        present = self.topics()
        deadline = time.monotonic() + min(_SPREADS_S, self._settings.startup_timeout_s)
        while not present.keys() >= set(names) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            present = self.topics()
        missing = [name for name in names if name not in present]
        if missing and (denied := self._unauthorized(missing)):
            raise UnavailableError(
                f"the broker at {self._settings.brokers} doesn't let us see topic {', '.join(denied)}; "
                "grant our user read or write access to it"
            )
        if missing:
            raise UnavailableError(
                f"the broker at {self._settings.brokers} has no topic {', '.join(missing)}; "
                "`ticketstream topics` creates missing topics"
            )
        return {name: present[name] for name in names}

    def _unauthorized(self, names: Sequence[str]) -> list[str]:
        """The topics of `names` that we may not see. Lists leave them out; only a request by name tells."""
        denied = []
        for name, future in self._admin.describe_topics(TopicCollection(list(names))).items():
            try:
                future.result(self._settings.startup_timeout_s)
            except KafkaException as error:
                denied += [name] if error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else []
            except TimeoutError:
                continue
        return denied

    def create_topic(self, name: str, *, partitions: int, replication: int, config: dict[str, str]) -> None:
        """Create a topic, unless it exists.

        Raises:
            UnavailableError: the broker refuses.
        """
        topic = NewTopic(name, num_partitions=partitions, replication_factor=replication, config=config)
        try:
            self._admin.create_topics([topic])[name].result(self._settings.startup_timeout_s)
        except KafkaException as error:
            fault = error.args[0]
            if fault.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise UnavailableError(f"creating topic {name}: {fault.str()}") from None
        except TimeoutError:
            raise UnavailableError(f"creating topic {name}: no answer in time") from None

    def brokers(self) -> int:
        """The number of brokers in the cluster."""
        return len(self._listed().brokers)

    def lag(self, topic: str, group: str) -> list[PartitionLag]:
        """Committed and end offsets of every partition of `topic`.

        Ignores offsets that, according to its notes, the group committed in an earlier topic of this name.

        Raises:
            UnavailableError: no broker answers, or the topic is missing.
        """
        partitions = self.require_topics([topic])[topic]
        return self._groups.lag(topic, group, partitions=partitions, topic_id=self.identify(topic).topic_id)

    def rewind(self, topic: str, group: str, offsets: Mapping[int, int], *, patience_s: float) -> None:
        """Commit `offsets`, by partition, for a group without members; wait for `patience_s` until the last has left.

        Raises:
            UnavailableError: the group has members, or no broker answers.
        """
        self._groups.rewind(self.lag(topic, group), group, offsets, patience_s=patience_s)

    def options(self, topic: str) -> dict[str, str]:
        """The options of a topic; empty if the broker hides them.

        Raises:
            UnavailableError: no broker answers.
        """
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        try:
            found = self._admin.describe_configs([resource])[resource].result(self._settings.startup_timeout_s)
        except KafkaException as error:
            if denied(error.args[0]):
                return {}
            raise UnavailableError(f"reading the options of {topic}: {error.args[0].str()}") from None
        except TimeoutError:
            raise UnavailableError(f"reading the options of {topic}: no answer in time") from None
        return {name: entry.value for name, entry in found.items() if entry.value is not None}

    def identify(self, topic: str) -> LogIdentity:
        """The topic as the cluster knows it. Brokers before Kafka 3.1 have no ids of topics.

        Raises:
            UnavailableError: no broker answers, or the topic is missing.
        """
        self.require_topics([topic])
        timeout = self._settings.startup_timeout_s
        try:
            cluster = self._admin.list_topics(topic, timeout=timeout).cluster_id
            found = self._admin.describe_topics(TopicCollection([topic]))[topic].result(timeout)
        except KafkaException as error:
            raise UnavailableError(f"reading the id of {topic}: {error.args[0].str()}") from None
        except TimeoutError:
            raise UnavailableError(f"reading the id of {topic}: no answer in {timeout:.0f} s") from None
        known = found.topic_id is not None and str(found.topic_id) != _NO_ID
        return LogIdentity(topic, cluster or None, str(found.topic_id) if known else None)

    def _why(self, error: KafkaError) -> str:
        errors = self._errors
        if errors.denial is not None:
            return (
                f"the broker at {self._settings.brokers} refuses us: {errors.denial.str()}; "
                "check TICKETS_KAFKA__SASL_* and TICKETS_KAFKA__SSL_*"
            )
        if errors.untrusted is not None:
            return (
                f"the TLS handshake with the broker at {self._settings.brokers} failed: {errors.untrusted.str()}; "
                "check TICKETS_KAFKA__SSL_*, the certificates' dates, and the host name in TICKETS_KAFKA__BROKERS"
            )
        reason = (errors.last or error).str()
        return f"no broker answers at {self._settings.brokers} ({reason}); set TICKETS_KAFKA__BROKERS, or start one"


def open_cluster(settings: KafkaSettings) -> Cluster:
    """Open an administration client, which connects with its first request.

    Raises:
        ConfigError: settings contradict each other, or the client rejects them.
    """
    errors = ClientErrors()
    client = open_client(AdminClient, client_options(settings) | {"error_cb": errors.add})
    return Cluster(client, settings=settings, errors=errors)
