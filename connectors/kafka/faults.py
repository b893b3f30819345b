"""What librdkafka's errors mean for us."""

from typing import Final

from confluent_kafka import KafkaError

from core.errors import FatalError, RefusedError, TicketstreamError, TransientError

#: No waiting mends these: somebody has to change a setting or a permission.
_REFUSED: Final = {
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - librdkafka's local codes begin with an underscore
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
}

_GONE: Final = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - likewise
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - likewise
}


def refused(error: KafkaError) -> bool:
    """The broker knows us and says no."""
    return error.code() in _REFUSED


def translate(error: KafkaError, doing: str) -> TicketstreamError:
    """`error` as one of ours: a refusal, a vanished topic or a fatal client is final, anything else an outage."""
    if refused(error):
        return FatalError(f"{doing}: the broker refuses: {error.str()}")
    if error.code() in _GONE:
        return FatalError(f"{doing}: {error.str()}; `ticketstream topics` creates what is missing")
    if error.code() in {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}:
        return RefusedError(f"{doing}: {error.str()}; raise max.message.bytes of the topic")
    if error.fatal():
        return FatalError(f"{doing}: {error.str()}")
    return TransientError(f"{doing}: {error.str()}")
