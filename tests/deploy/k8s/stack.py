"""The manifests of an overlay, as `kubectl apply -k` would apply them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from msgspec import Struct

from core.environment import load_settings
from core.setting_types import PREFIX
from core.settings import Settings

ROOT: Final = Path(__file__).parents[3]
MANIFESTS: Final = ROOT / "deploy" / "k8s-ecs" / "k8s"
OVERLAYS: Final = sorted(folder.name for folder in (MANIFESTS / "overlays").iterdir())
_SIZES: Final = yaml.safe_load((ROOT / "deploy" / "sizes.yaml").read_text())
#: Names of the HTTP services.
SERVICES: Final = frozenset(_SIZES["services"])
#: Names of the services without requests; every other Deployment runs a role of the stream.
BACKGROUND: Final = frozenset(_SIZES["background"])
#: Placeholder for the content of a Secret.
_SECRET: Final = "from-a-secret"

Manifest = dict[str, Any]


def declared(path: str) -> Any:
    """The content of a YAML file below deploy/."""
    return yaml.safe_load((ROOT / "deploy" / path).read_text())


def partitions() -> dict[str, int]:
    """The number of partitions of each topic."""
    return {topic["name"]: topic["partitions"] for topic in declared("k8s-ecs/msk/topics.yaml")["topics"]}


class Stack(Struct, frozen=True):
    """The objects of one overlay."""

    overlay: str
    objects: list[Manifest]

    @property
    def production(self) -> bool:
        """Whether the overlay is for production; only `dev` isn't."""
        return self.overlay != "dev"

    @property
    def deployments(self) -> list[Manifest]:
        """The Deployments of workers and services."""
        return self.of("Deployment")

    @property
    def workers(self) -> list[Manifest]:
        """The Deployments of workers; each runs one role."""
        return [found for found in self.deployments if found["metadata"]["name"] not in SERVICES | BACKGROUND]

    @property
    def services(self) -> list[Manifest]:
        """The Deployments of HTTP services."""
        return [found for found in self.deployments if found["metadata"]["name"] in SERVICES]

    @property
    def background(self) -> list[Manifest]:
        """The Deployments of services without requests."""
        return [found for found in self.deployments if found["metadata"]["name"] in BACKGROUND]

    def of(self, kind: str) -> list[Manifest]:
        """All objects of a kind."""
        return [found for found in self.objects if found["kind"] == kind]

    def find(self, kind: str, name: str) -> Manifest | None:
        """The object of that kind and name, or None."""
        return next((found for found in self.of(kind) if found["metadata"]["name"] == name), None)

    def variables(self, worker: Manifest) -> dict[str, str]:
        """The container's environment, with a placeholder for each secret."""
        given: dict[str, str] = {}
        for source in container(worker).get("envFrom", []):
            config = self.find("ConfigMap", source.get("configMapRef", {}).get("name", ""))
            given |= config["data"] if config else {}
        for entry in container(worker).get("env", []):
            given[entry["name"]] = entry.get("value", _SECRET)
        return given

    def settings(self, worker: Manifest) -> Settings:
        """The settings that the worker would read.

        Raises:
            ConfigError: a variable is unknown or malformed.
        """
        with _environment(self.variables(worker)) as given:
            return load_settings(given)


def render(overlay: str) -> Stack:
    """The overlay of that name, as a copy that a test may change. Skips the test if no tool can build it."""
    return Stack(overlay, deepcopy(_built(MANIFESTS / "overlays" / overlay)))


def build(folder: Path) -> list[Manifest]:
    """The objects that a folder's kustomization makes.

    Raises:
        FileNotFoundError: neither kubectl nor kustomize is installed.
        ValueError: the tool fails; the message is the tool's.
    """
    command = _tool()
    if command is None:
        raise FileNotFoundError("neither kubectl nor kustomize is on the PATH")
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = re.search(r'err="(.*)"', done.stderr)  # kubectl's error format
        raise ValueError(f"{folder}: {said[1] if said else done.stderr.strip()}")
    return list(yaml.safe_load_all(done.stdout))


def pod(worker: Manifest) -> Any:
    """The specification of its pod."""
    return worker["spec"]["template"]["spec"]


def container(worker: Manifest) -> Any:
    """The one container of its pod."""
    (only,) = pod(worker)["containers"]
    return only


def name_of(found: Mapping[str, Any]) -> str:
    """The object's name as kubectl prints it."""
    return f"{found['kind']}/{found['metadata']['name']}"


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector, with its expressions, matches these labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", "these manifests use no other operator"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


@cache
def _built(folder: Path) -> list[Manifest]:
    if _tool() is None:
        if os.environ.get("CI"):
            pytest.fail("neither kubectl nor kustomize is on the PATH, and CI must render the manifests")
        pytest.skip("needs kubectl or kustomize")
    return build(folder)


def _tool() -> list[str] | None:
    if kubectl := shutil.which("kubectl"):
        return [kubectl, "kustomize"]
    if kustomize := shutil.which("kustomize"):
        return [kustomize, "build"]
    return None


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """An environment whose only variables with our prefix are `given`."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.upper().startswith(PREFIX)}
    os.environ.update(given)
    try:
        yield given
    finally:
        for name in given:
            del os.environ[name]
        os.environ.update(kept)
