"""librdkafka's options from our settings: group protocols, and every kind of authentication."""

from pathlib import Path

import pytest
from confluent_kafka import Consumer

from connectors.kafka.options import client_options, consumer_options, producer_options
from core.errors import ConfigError
from core.settings import KafkaSettings


def _settings(**changes: object) -> KafkaSettings:
    return KafkaSettings.model_validate(changes)


def test_the_client_never_commits_by_itself() -> None:
    """Auto-commit and automatic offset storage are off."""
    options = consumer_options(_settings())
    assert options["enable.auto.commit"] is False
    assert options["enable.auto.offset.store"] is False
    assert options["auto.offset.reset"] == "earliest"


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_the_client_accepts_what_each_protocol_is_given(protocol: str) -> None:
    """The client accepts our options under both group protocols; it rejects classic ones under KIP-848."""
    Consumer(consumer_options(_settings(group_protocol=protocol))).close()


def test_the_consumer_protocol_leaves_sessions_to_the_broker() -> None:
    """Under KIP-848 no session timeout, heartbeat or assignor is set."""
    options = consumer_options(_settings(group_protocol="consumer"))
    assert not {"session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"} & set(options)


def test_a_heartbeat_is_a_tenth_of_the_session_timeout() -> None:
    """The heartbeat interval is a tenth of the session timeout, and at least 1 ms."""
    assert consumer_options(_settings(session_timeout_s=10))["heartbeat.interval.ms"] == 1_000
    assert consumer_options(_settings(session_timeout_s=0.001))["heartbeat.interval.ms"] == 1


def test_a_producers_ack_means_every_in_sync_replica() -> None:
    """The producer uses acks=all and is idempotent."""
    options = producer_options(_settings())
    assert (options["acks"], options["enable.idempotence"]) == ("all", True)


def test_scram() -> None:
    """SCRAM sets user, password and mechanism."""
    options = client_options(
        _settings(
            security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username="ada", sasl_password="secret"
        )
    )
    assert options["security.protocol"] == "SASL_SSL"
    assert options["sasl.mechanisms"] == "SCRAM-SHA-512"
    assert (options["sasl.username"], options["sasl.password"]) == ("ada", "secret")


def test_mutual_tls(tmp_path: Path) -> None:
    """Mutual TLS sets the certificate, the key with its password, and the CA."""
    files = {name: tmp_path / name for name in ("ca", "certificate", "key")}
    for file in files.values():
        file.write_text("PEM")
    options = client_options(
        _settings(
            security_protocol="SSL",
            ssl_ca_file=files["ca"],
            ssl_certificate_file=files["certificate"],
            ssl_key_file=files["key"],
            ssl_key_password="secret",
        )
    )
    assert options["ssl.ca.location"] == str(files["ca"])
    assert options["ssl.certificate.location"] == str(files["certificate"])
    assert options["ssl.key.location"] == str(files["key"])
    assert options["ssl.key.password"] == "secret"


def test_msk_iam() -> None:
    """MSK IAM uses OAUTHBEARER with a callback that signs tokens."""
    options = client_options(
        _settings(security_protocol="SASL_SSL", sasl_mechanism="AWS_MSK_IAM", aws_region="eu-central-1")
    )
    assert options["sasl.mechanisms"] == "OAUTHBEARER"
    assert callable(options["oauth_cb"])


def test_an_msk_token_is_a_signed_url_for_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is signed offline, and it expires at a time in seconds since the epoch."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    options = client_options(
        _settings(security_protocol="SASL_SSL", sasl_mechanism="AWS_MSK_IAM", aws_region="eu-central-1")
    )
    token, expires_s = options["oauth_cb"]("")
    assert len(token) > 100
    assert 1.7e9 < expires_s < 1e10


def test_extra_options_win() -> None:
    """TICKETS_KAFKA__EXTRA overrides other options of librdkafka, of every client."""
    assert consumer_options(_settings(extra={"fetch.wait.max.ms": "5"}))["fetch.wait.max.ms"] == "5"
    for options in (client_options, consumer_options, producer_options):
        assert options(_settings(extra={"client.id": "mine"}))["client.id"] == "mine"


@pytest.mark.parametrize(
    "name", ["acks", "enable.auto.commit", "auto.offset.reset", "enable.partition.eof", "group.id", "isolation.level"]
)
def test_an_extra_option_that_loses_records_is_refused(name: str) -> None:
    """Offsets that the client commits by itself, for example, pass records that are in flight."""
    for options in (client_options, consumer_options, producer_options):
        with pytest.raises(ConfigError, match=f"TICKETS_KAFKA__EXTRA sets {name}, which would lose or repeat records"):
            options(_settings(extra={name: "1"}))


@pytest.mark.parametrize("name", ["logger", "stats_cb", "default.topic.config", "on_delivery"])
def test_an_extra_option_that_takes_an_object_is_refused(name: str) -> None:
    """The client would raise a TypeError, at its start or in the middle of a poll."""
    with pytest.raises(ConfigError, match=f"TICKETS_KAFKA__EXTRA sets {name}, which takes no text"):
        client_options(_settings(extra={name: "x"}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"security_protocol": "SASL_SSL"}, "TICKETS_KAFKA__SASL_MECHANISM"),
        ({"sasl_mechanism": "PLAIN"}, "set it to SASL_SSL"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN"}, "TICKETS_KAFKA__SASL_USERNAME"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "AWS_MSK_IAM"}, "TICKETS_KAFKA__AWS_REGION"),
        ({"security_protocol": "SSL", "ssl_ca_file": Path("/no/such.pem")}, "there is no file /no/such.pem"),
        ({"security_protocol": "SSL", "ssl_key_file": Path(__file__)}, "TICKETS_KAFKA__SSL_CERTIFICATE_FILE"),
    ],
)
def test_contradictory_settings_name_the_variable(changes: dict[str, object], words: str) -> None:
    """The error names the variable that is missing or wrong."""
    with pytest.raises(ConfigError, match=words.replace("/", r"\/")):
        client_options(_settings(**changes))


def test_a_poll_interval_below_the_session_timeout_is_named() -> None:
    """A poll interval below the session timeout is reported with our variables; under KIP-848 it is allowed."""
    short = KafkaSettings(max_poll_interval_s=5, session_timeout_s=6)
    with pytest.raises(ConfigError, match="TICKETS_KAFKA__MAX_POLL_INTERVAL_S is 5 and TICKETS_KAFKA__SESSION_TIME"):
        consumer_options(short)
    assert consumer_options(short.model_copy(update={"group_protocol": "consumer"}))["max.poll.interval.ms"] == 5_000
