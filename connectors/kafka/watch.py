"""Watches whether a topic is deleted and created again while it is read."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription  # type: ignore[attr-defined]  # exported, not declared

from connectors.kafka.batches import warn_if_unbounded
from connectors.kafka.clients import open_client
from connectors.kafka.options import client_options
from core.errors import FatalError, TransientError, UnavailableError
from core.settings import KafkaSettings

logger: Final = logging.getLogger("ticketstream.consumer")

_INTERVAL_S: Final = 5.0
_NOW_S: Final = 1.0
#: The id from a broker without topic ids.
_NO_ID: Final = "AAAAAAAAAAAAAAAAAAAAAA"


class TopicWatch:
    """Requests a topic's id every few seconds. Never waits: answers arrive on a thread of the client."""

    def __init__(
        self, client: AdminClient, topic: str, topic_id: str | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Watch through `client`; see `open_topic_watch`."""
        self.topic = topic
        self.topic_id = topic_id
        self._client = client
        self._clock = clock
        self._asked = clock()
        self._answer: Future[TopicDescription] | None = None

    def changed(self) -> bool:
        """Whether the last answer had another id. Sends the next request when it is due."""
        if self.topic_id is None:
            return False
        if self._answer is not None and self._answer.done():
            found = _id(self._answer)
            self._answer = None
            if found is not None and found != self.topic_id:
                return True
        if self._answer is None and self._clock() - self._asked > _INTERVAL_S:
            self._asked = self._clock()
            self._answer = self._client.describe_topics(TopicCollection([self.topic]))[self.topic]
        return False

    def changed_now(self) -> bool:
        """Whether the topic has another id now; waits a second for the answer."""
        if self.topic_id is None:
            return False
        answer = self._client.describe_topics(TopicCollection([self.topic]), request_timeout=_NOW_S)[self.topic]
        found = _id(answer, _NOW_S)
        return found is not None and found != self.topic_id

    def confirm(self) -> None:
        """Check that the topic is still the one that was opened, and so the one that all records were read from.

        Raises:
            TransientError: no broker answers within a second.
            FatalError: it was deleted and created again.
        """
        if self.topic_id is None:
            return
        answer = self._client.describe_topics(TopicCollection([self.topic]), request_timeout=_NOW_S)[self.topic]
        found = _id(answer, _NOW_S)
        if found is None:
            raise TransientError(f"no broker confirms that {self.topic} still is the same topic")
        if found != self.topic_id:
            raise FatalError(
                f"{self.topic} was deleted and created again while it was read; start again to read the new topic"
            )


def open_topic_watch(settings: KafkaSettings, topic: str) -> TopicWatch:
    """Open a watch of `topic`, which exists. Logs a warning if the unpacked size of its batches is unbounded.

    Raises:
        UnavailableError: the broker doesn't answer, or refuses.
    """
    client = open_client(AdminClient, client_options(settings))
    answer = client.describe_topics(TopicCollection([topic]), request_timeout=settings.startup_timeout_s)[topic]
    try:
        found = answer.result(settings.startup_timeout_s)
    except KafkaException as error:
        raise UnavailableError(f"reading the id of {topic}: {error.args[0].str()}") from None
    except TimeoutError:
        raise UnavailableError(f"reading the id of {topic}: no answer in time") from None
    warn_if_unbounded(client, topic)
    return TopicWatch(client, topic, _known(found))


def _id(answer: "Future[TopicDescription]", timeout_s: float = 0.0) -> str | None:
    try:
        return _known(answer.result(timeout_s))
    except (KafkaException, TimeoutError):  # deleted, or no broker answers: the consumer reports that
        return None


def _known(found: TopicDescription) -> str | None:
    topic_id = None if found.topic_id is None else str(found.topic_id)
    return None if topic_id in {None, _NO_ID} else topic_id
