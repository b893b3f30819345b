"""Validates objects: Kubernetes's strict schemas, and models of the custom resources."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

import kubernetes_validate
from kubernetes_validate import utils
from pydantic import BaseModel, ValidationError

from tests.deploy.k8s.stack import Manifest, name_of

#: The oldest version that docs/deploy-kubernetes.md supports, and the newest with schemas.
VERSIONS: Final = ("1.31", "1.37")
_MODELS: Final = {
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}

# Without the cache each call would read three megabytes of definitions.
utils.schema_contents = cache(utils.schema_contents)


def complaints(made: Manifest) -> Iterator[str]:
    """The faults of an object, by field."""
    if made["apiVersion"] in _MODELS:
        yield from (f"{name_of(made)}: {fault}" for fault in _custom(made))
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(made, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name_of(made)}: {'.'.join(map(str, error.path)) or 'it'}: {error.message} (Kubernetes {version})"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{name_of(made)}: {error.message}"


def _custom(made: Manifest) -> Iterator[str]:
    model: type[BaseModel] | None = getattr(import_module(_MODELS[made["apiVersion"]]), made["kind"], None)
    if model is None:
        yield f"{made['apiVersion']} has no kind {made['kind']}"
        return
    try:
        read = model.model_validate(made)
    except ValidationError as error:
        yield from (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        return
    # The models ignore unknown fields, so those are missing from their output.
    yield from _unknown(made, read.model_dump(mode="json", by_alias=True, exclude_unset=True))


def _unknown(given: Any, kept: Any, path: str = "") -> Iterator[str]:
    if isinstance(given, Mapping):
        for name, value in given.items():
            if name not in kept:
                yield f"{path}{name}: unknown field"
            else:
                yield from _unknown(value, kept[name], f"{path}{name}.")
    elif isinstance(given, list):
        for number, (value, other) in enumerate(zip(given, kept, strict=True)):
            yield from _unknown(value, other, f"{path}{number}.")
