"""Listeners with authentication and an authorizer, as on MSK: SCRAM over TLS, and mutual TLS.

Unauthenticated clients are super users: the brokers themselves, and tests that aren't about security.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from tests.rigs.certificates import Authority

SecurityProtocol = Literal["PLAINTEXT", "SASL_SSL", "SSL"]
#: Protocols of the listeners; EXPIRED presents an expired certificate.
LISTENERS: Final = {"SASL_SSL": "SASL_SSL", "SSL": "SSL", "EXPIRED": "SSL"}
#: SCRAM users and their passwords. The user `stranger` has no ACL.
USERS: Final = {"ticketstream": "right-password", "producer": "producers-password", "stranger": "strangers-password"}
#: Principal of the client's certificate, and the password of its key.
CERTIFIED: Final = "User:CN=ticketstream"
KEY_PASSWORD: Final = "opens-the-key"


class Secrets:
    """Certificates of brokers and clients in `folder`, and settings that use them."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "authority")
        self.elsewhere = Authority(folder, "another-authority")
        self.client = self.authority.sign("ticketstream", password=KEY_PASSWORD)
        self.expired_client = self.authority.sign("was-ticketstream", expired=True)
        self._broker = self.authority.sign("broker", address="127.0.0.1")
        self._expired_broker = self.authority.sign("was-broker", address="127.0.0.1", expired=True)

    def broker_config(self) -> dict[str, str]:
        """Broker configuration of the secured listeners, without their addresses."""
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": login,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._broker.both),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "listener.name.ssl.ssl.client.auth": "required",
            "listener.name.expired.ssl.keystore.type": "PEM",
            "listener.name.expired.ssl.keystore.location": str(self._expired_broker.both),
        }

    def settings(self, protocol: SecurityProtocol, user: str = "ticketstream") -> dict[str, str]:
        """Kafka settings of a client by name, without the brokers' address."""
        if protocol == "PLAINTEXT":
            return {}
        found = {"security_protocol": protocol, "ssl_ca_file": str(self.authority.file)}
        if protocol == "SSL":
            return found | {
                "ssl_certificate_file": str(self.client.certificate),
                "ssl_key_file": str(self.client.key),
                "ssl_key_password": KEY_PASSWORD,
            }
        return found | {"sasl_mechanism": "SCRAM-SHA-512", "sasl_username": user, "sasl_password": USERS[user]}


def as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Kafka settings as environment variables."""
    return {f"TICKETS_KAFKA__{name.upper()}": value for name, value in settings.items()}
