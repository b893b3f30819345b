"""Listeners with authentication, as MSK has them: SCRAM over TLS, and mutual TLS; an authorizer behind both.

Whoever speaks without authentication is a super user here: the brokers themselves, and the tests of other things.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from tests.rigs.certificates import Authority

#: How a client may come in, by the security protocol that it sets.
Door = Literal["PLAINTEXT", "SASL_SSL", "SSL"]
#: Protocols of the listeners; EXPIRED shows a certificate that has expired.
LISTENERS: Final = {"SASL_SSL": "SASL_SSL", "SSL": "SSL", "EXPIRED": "SSL"}
#: SCRAM users and their passwords. The stranger has no rule.
USERS: Final = {"ticketstream": "right-password", "producer": "producers-password", "stranger": "strangers-password"}
#: Who the client's certificate says it is, and what opens its key.
CERTIFIED: Final = "User:CN=ticketstream"
KEY_PASSWORD: Final = "opens-the-key"


class Secrets:
    """Certificates in `folder`, of the brokers and of clients, and the settings of a worker that uses them."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "authority")
        self.elsewhere = Authority(folder, "another-authority")
        self.client = self.authority.sign("ticketstream", password=KEY_PASSWORD)
        self.expired_client = self.authority.sign("was-ticketstream", expired=True)
        self._broker = self.authority.sign("broker", address="127.0.0.1")
        self._expired_broker = self.authority.sign("was-broker", address="127.0.0.1", expired=True)

    def broker_config(self) -> dict[str, str]:
        """What a broker needs for its secured listeners, but for their addresses."""
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

    def settings(self, door: Door, user: str = "ticketstream") -> dict[str, str]:
        """Kafka settings of a client by name, but for the address."""
        if door == "PLAINTEXT":
            return {}
        found = {"security_protocol": door, "ssl_ca_file": str(self.authority.file)}
        if door == "SSL":
            return found | {
                "ssl_certificate_file": str(self.client.certificate),
                "ssl_key_file": str(self.client.key),
                "ssl_key_password": KEY_PASSWORD,
            }
        return found | {"sasl_mechanism": "SCRAM-SHA-512", "sasl_username": user, "sasl_password": USERS[user]}


def as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Kafka settings as a worker is given them."""
    return {f"TICKETS_KAFKA__{name.upper()}": value for name, value in settings.items()}
