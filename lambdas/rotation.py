"""Rotation of secrets: the four steps of Secrets Manager, for Qdrant's key, a cache user and a Kafka user.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html

Every step is idempotent, since Secrets Manager repeats a rotation from its first step after an error. The credential
that clients use keeps working until the next rotation. The services in the secret's field `clients`, a list of
CLUSTER/SERVICE on ECS, are restarted after each, because a task reads its secrets when it starts.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Final

from pydantic import SecretStr

from connectors.aws import open_client
from connectors.credentials.secrets import Secret, Secrets, open_secrets
from connectors.credentials.servers import CacheUsers, EcsServices, cache_accepts, node_accepts
from core.errors import ConfigError, FatalError, TransientError
from core.settings import Settings
from lambdas.function import Call, Event, Function, Handle
from lambdas.rotation_engines import Cache, Engine, Qdrant, Restart, Scram
from runtime.telemetry import Telemetry

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
#: Time left to the function when it stops waiting for servers.
_RESERVE_S: Final = 20.0
_WAIT_S: Final = 5.0


class Rotator:
    """Handles the steps of every secret, by its field `engine`."""

    def __init__(
        self,
        secrets: Secrets,
        engines: Mapping[str, Engine],
        services: Restart,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Rotate `secrets`, and restart their clients; `sleep` waits for servers, in seconds."""
        self._secrets = secrets
        self._engines = engines
        self._services = services
        self._sleep = sleep

    def handle(self, event: Event, call: Call) -> Event:
        """Do one step.

        Raises:
            TransientError: not done in time; the same step may succeed later.
            FatalError: the secret or the step is not as Secrets Manager promises, or AWS refuses.
            ConfigError: the secret's `engine` is unknown.
        """
        secret_id, version, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
        stages = self._secrets.stages(secret_id)
        if CURRENT in stages.get(version, ()):
            if step == "finishSecret":  # repeated: a client may not have been restarted
                self._restart_clients(self._current(secret_id))
            return {}
        if PENDING not in stages.get(version, ()):
            raise FatalError(f"{secret_id}: version {version} is not pending")
        current = self._current(secret_id)
        engine = self._engine(secret_id, current)
        pending = self._secrets.get(secret_id, "AWSPENDING", version)
        match step, pending:
            case "createSecret", None:
                self._secrets.put(secret_id, engine.following(current), version=version, stage="AWSPENDING")
            case "createSecret", _:
                pass
            case _, None:
                raise FatalError(f"{secret_id}: the pending version has no value")
            case "setSecret", _:
                self._until(call, partial(engine.admit, current, pending))
            case "testSecret", _:
                self._until(call, partial(engine.works, pending))
            case "finishSecret", _:
                (before,) = [one for one, found in stages.items() if CURRENT in found]
                self._secrets.promote(secret_id, version, instead_of=before)
                self._restart_clients(pending)
            case _:
                raise FatalError(f"{step} is not a step of a rotation")
        return {}

    def _current(self, secret_id: str) -> Secret:
        current = self._secrets.get(secret_id, "AWSCURRENT")
        if current is None:
            raise FatalError(f"{secret_id} has no current version; write the first one")
        return current

    def _restart_clients(self, secret: Secret) -> None:
        for name in secret.get("clients", ()):
            self._services.restart(name)

    def _engine(self, secret_id: str, current: Secret) -> Engine:
        name = current.get("engine")
        if name not in self._engines:
            raise ConfigError(f"{secret_id}: set the field engine to one of {', '.join(self._engines)}")
        return self._engines[str(name)]

    def _until(self, call: Call, done: Callable[[], bool]) -> None:
        while True:
            fault = "the servers don't accept the new credential yet"
            try:
                if done():
                    return
            except TransientError as error:  # a node that restarts doesn't answer
                fault = str(error)
            if call.left_s() < _RESERVE_S:
                raise TransientError(f"{fault}; the rotation is repeated")
            self._sleep(_WAIT_S)


def open_rotation(settings: Settings, _stack: ExitStack, _telemetry: Telemetry) -> Handle:
    """The handler, with its clients."""
    secrets = open_secrets()
    services = EcsServices(open_client("ecs"))
    engines: dict[str, Engine] = {
        "qdrant": Qdrant(node_accepts, services),
        "cache": Cache(CacheUsers(open_client("elasticache")), cache_accepts),
        "scram": Scram(secrets, partial(_kafka_accepts, settings)),
    }
    return Rotator(secrets, engines, services).handle


def _kafka_accepts(settings: Settings, username: str, password: str) -> bool:
    from connectors.kafka.sign_in import broker_accepts  # noqa: PLC0415 - its client is loaded for Kafka only

    update = {"sasl_username": username, "sasl_password": SecretStr(password)}
    return broker_accepts(settings.kafka.model_copy(update=update))


handler: Final = Function("rotation", open_rotation)
