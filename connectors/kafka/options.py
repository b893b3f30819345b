"""Converts our settings to librdkafka's options (see its CONFIGURATION.md)."""

import logging
from typing import Any, Final

from connectors.kafka.msk_iam import token_callback
from core.errors import ConfigError
from core.settings import KafkaSettings

logger: Final = logging.getLogger("ticketstream.kafka")

#: Any, since confluent-kafka's own types of the options leave out callbacks.
Options = dict[str, Any]


#: Options whose values keep records from being lost or repeated, so that nobody may change them.
_OURS: Final = frozenset(
    {
        "acks",
        "auto.commit.enable",
        "auto.offset.reset",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.idempotence",
        "enable.partition.eof",
        "group.id",
        "isolation.level",
        "request.required.acks",
    }
)
#: Options of the Python client that take an object; so do those that end in _cb.
_OBJECTS: Final = frozenset({"default.topic.config", "logger", "on_commit", "on_delivery"})
#: Options of every client that reads.
READING: Final[Options] = {
    # the end of a partition shows that everything before it was returned, control records included
    "enable.partition.eof": True,
    # otherwise a bit that flipped on a broker's disk would go unnoticed
    "check.crcs": True,
    # the client unpacks a whole fetch at once, so fetches are small; the broker always returns at least one batch
    "fetch.max.bytes": 1024 * 1024,
    "max.partition.fetch.bytes": 256 * 1024,
    # maximum size of an answer and of an unpacked zstd batch; a larger batch is unreadable
    "receive.message.max.bytes": 64 * 1024 * 1024,
}


def client_options(settings: KafkaSettings, *, extra: bool = True) -> Options:
    """Options of every client: bootstrap servers and authentication.

    Raises:
        ConfigError: the security settings contradict each other, or an extra option would lose records.
    """
    options: Options = {
        "bootstrap.servers": settings.brokers,
        "client.id": "ticketstream",
        "security.protocol": settings.security_protocol,
        "logger": logger,
        # Reconnect within a second after an outage; librdkafka's default is ten.
        "reconnect.backoff.max.ms": 1_000,
    }
    if settings.security_protocol.startswith("SASL"):
        options |= _sasl_options(settings)
    elif settings.sasl_mechanism is not None:
        raise ConfigError(
            "TICKETS_KAFKA__SASL_MECHANISM is set, but TICKETS_KAFKA__SECURITY_PROTOCOL is "
            f"{settings.security_protocol}; set it to SASL_SSL or SASL_PLAINTEXT"
        )
    if settings.security_protocol.endswith("SSL"):
        options |= _ssl_options(settings)
    return options | (_extra(settings) if extra else {})


def consumer_options(settings: KafkaSettings) -> Options:
    """Options of a group member that commits manually; only those that its group protocol accepts.

    Raises:
        ConfigError: as `client_options`, or the poll interval is shorter than the session timeout.
    """
    options = client_options(settings, extra=False) | {
        "group.id": settings.group,
        "group.protocol": settings.group_protocol,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "max.poll.interval.ms": int(settings.max_poll_interval_s * 1000),
        "queued.max.messages.kbytes": settings.prefetch_kib,
        **READING,
    }
    if settings.group_protocol == "classic":
        if settings.max_poll_interval_s < settings.session_timeout_s:
            raise ConfigError(
                f"TICKETS_KAFKA__MAX_POLL_INTERVAL_S is {settings.max_poll_interval_s:g} and "
                f"TICKETS_KAFKA__SESSION_TIMEOUT_S is {settings.session_timeout_s:g}; "
                "raise the poll interval to the session timeout or more"
            )
        # Under KIP-848 the broker sets these, and librdkafka rejects them.
        options |= {
            "partition.assignment.strategy": settings.assignment_strategy,
            "session.timeout.ms": int(settings.session_timeout_s * 1000),
            # Members learn of a rebalance from a heartbeat's answer, and can't commit until all have rejoined.
            "heartbeat.interval.ms": max(1, int(settings.session_timeout_s * 1000 / 10)),
        }
    return options | _extra(settings)


def producer_options(settings: KafkaSettings) -> Options:
    """Options of an idempotent producer with acks=all. The client ignores extra options that are for consumers.

    Raises:
        ConfigError: as `client_options`.
    """
    options = client_options(settings, extra=False) | {
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 5,
        # The limit is left to the topic's max.message.bytes, so that only the record that is too large fails.
        "message.max.bytes": 64 * 1024 * 1024,
        "delivery.timeout.ms": 30_000,
    }
    return options | _extra(settings)


def _extra(settings: KafkaSettings) -> Options:
    """The user's further options.

    Raises:
        ConfigError: one would lose records, or takes a Python object.
    """
    if ours := sorted(_OURS & settings.extra.keys()):
        raise ConfigError(f"TICKETS_KAFKA__EXTRA sets {', '.join(ours)}, which would lose or repeat records; remove it")
    if objects := sorted(name for name in settings.extra if name in _OBJECTS or name.endswith("_cb")):
        raise ConfigError(f"TICKETS_KAFKA__EXTRA sets {', '.join(objects)}, which takes no text; remove it")
    return dict(settings.extra)


def _sasl_options(settings: KafkaSettings) -> Options:
    mechanism = settings.sasl_mechanism
    if mechanism is None:
        raise ConfigError(
            f"TICKETS_KAFKA__SECURITY_PROTOCOL is {settings.security_protocol}, which needs "
            "TICKETS_KAFKA__SASL_MECHANISM: for example SCRAM-SHA-512, PLAIN or AWS_MSK_IAM"
        )
    if mechanism == "AWS_MSK_IAM":
        if settings.aws_region is None:
            raise ConfigError("TICKETS_KAFKA__SASL_MECHANISM is AWS_MSK_IAM, which needs TICKETS_KAFKA__AWS_REGION")
        return {"sasl.mechanisms": "OAUTHBEARER", "oauth_cb": token_callback(settings.aws_region)}
    options: Options = {"sasl.mechanisms": mechanism}
    if mechanism != "OAUTHBEARER":
        if settings.sasl_username is None or settings.sasl_password is None:
            raise ConfigError(
                f"TICKETS_KAFKA__SASL_MECHANISM is {mechanism}, which needs TICKETS_KAFKA__SASL_USERNAME and "
                "TICKETS_KAFKA__SASL_PASSWORD"
            )
        options |= {
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password.get_secret_value(),
        }
    return options


def _ssl_options(settings: KafkaSettings) -> Options:
    options: Options = {}
    files = {
        "ssl.ca.location": ("SSL_CA_FILE", settings.ssl_ca_file),
        "ssl.certificate.location": ("SSL_CERTIFICATE_FILE", settings.ssl_certificate_file),
        "ssl.key.location": ("SSL_KEY_FILE", settings.ssl_key_file),
    }
    for option, (name, path) in files.items():
        if path is None:
            continue
        if not path.is_file():
            raise ConfigError(f"TICKETS_KAFKA__{name}: there is no file {path}")
        options[option] = str(path)
    if (settings.ssl_certificate_file is None) != (settings.ssl_key_file is None):
        raise ConfigError(
            "mutual TLS needs both TICKETS_KAFKA__SSL_CERTIFICATE_FILE and TICKETS_KAFKA__SSL_KEY_FILE; one is missing"
        )
    if settings.ssl_key_password is not None:
        options["ssl.key.password"] = settings.ssl_key_password.get_secret_value()
    return options
