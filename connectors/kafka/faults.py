"""Translates librdkafka's errors into ours."""

from typing import Final

from confluent_kafka import KafkaError

from core.errors import FatalError, RefusedError, TicketstreamError, TransientError

#: Not retryable: someone has to change a setting or an ACL.
_DENIED: Final = {
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


#: The topic's options forbid the record: it has no key, and the topic is compacted, or its time is too far away. The
#: client reports the last one for the other records of the batch.
_INVALID: Final = {
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError._INVALID_DIFFERENT_RECORD,  # noqa: SLF001 - likewise
}


def denied(error: KafkaError) -> bool:
    """Whether this is an authentication or authorization error."""
    return error.code() in _DENIED


class ClientErrors:
    """Errors that a client reports outside of any call, through its option `error_cb`.

    Attributes:
        denial: the first authentication or authorization error.
        untrusted: the first TLS error.
        last: the last error of any kind.
    """

    def __init__(self) -> None:
        self.denial: KafkaError | None = None
        self.untrusted: KafkaError | None = None
        self.last: KafkaError | None = None

    def add(self, error: KafkaError) -> None:
        """Note `error`, on whichever thread polls the client."""
        self.last = error
        if self.denial is None and denied(error):
            self.denial = error
        # If the broker rejects our certificate, the error has no code of its own, only OpenSSL's message.
        if self.untrusted is None and "SSL " in error.str():
            self.untrusted = error


def translate(error: KafkaError, doing: str) -> TicketstreamError:
    """Translate `error`, which happened while `doing`.

    Authorization errors, unknown topics and fatal client errors are final. A record that is too large, or that the
    topic's options forbid, is refused. Everything else is transient.
    """
    if denied(error):
        return FatalError(f"{doing}: the broker refuses: {error.str()}")
    if error.code() in _GONE:
        return FatalError(f"{doing}: {error.str()}; `ticketstream topics` creates missing topics")
    if error.code() in {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}:
        return RefusedError(f"{doing}: {error.str()}; raise max.message.bytes of the topic")
    if error.code() in _INVALID:
        return RefusedError(f"{doing}: {error.str()}; see cleanup.policy and message.timestamp.* of the topic")
    if error.fatal():
        return FatalError(f"{doing}: {error.str()}")
    return TransientError(f"{doing}: {error.str()}")
