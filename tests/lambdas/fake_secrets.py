"""Secrets Manager in memory, and the events of a rotation."""

from collections.abc import Mapping
from typing import Final

from connectors.credentials.secrets import Secret, Stage
from lambdas.function import Event

STEPS: Final = ("createSecret", "setSecret", "testSecret", "finishSecret")


class FakeSecrets:
    """Implements `Secrets` in memory, as Secrets Manager does: a pending version exists before it has a value."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Secret] = {}
        self.labels: dict[str, dict[str, set[str]]] = {}

    def begin(self, secret_id: str, version: str) -> None:
        """Label a version as pending, as Secrets Manager does before it calls the function."""
        for labels in self.labels[secret_id].values():
            labels.discard("AWSPENDING")
        self.labels[secret_id].setdefault(version, set()).add("AWSPENDING")

    def stages(self, secret_id: str) -> Mapping[str, frozenset[str]]:
        return {version: frozenset(labels) for version, labels in self.labels[secret_id].items()}

    def get(self, secret_id: str, stage: Stage, version: str | None = None) -> Secret | None:
        found = [one for one, labels in self.labels.get(secret_id, {}).items() if stage in labels]
        return self.values.get((secret_id, found[0])) if found and version in (None, found[0]) else None

    def put(self, secret_id: str, value: Secret, *, version: str | None = None, stage: Stage = "AWSCURRENT") -> None:
        version = version or f"v{len(self.values)}"
        for labels in self.labels.setdefault(secret_id, {}).values():
            labels.discard(stage)
        self.labels[secret_id].setdefault(version, set()).add(stage)
        self.values[secret_id, version] = value

    def promote(self, secret_id: str, version: str, *, instead_of: str) -> None:
        self.labels[secret_id][instead_of].remove("AWSCURRENT")
        self.labels[secret_id][version].add("AWSCURRENT")


def event(version: str, step: str) -> Event:
    return {"SecretId": "id", "ClientRequestToken": version, "Step": step}
