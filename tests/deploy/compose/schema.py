"""Validates a project against the JSON schema of the compose specification.

compose-spec.json beside this file is the specification's own schema, unchanged, from compose-go 2.16.2
(github.com/compose-spec/compose-spec, Apache-2.0, copyright 2020 The Compose Specification Authors).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
from jsonschema.protocols import Validator

_FILE: Final = Path(__file__).with_name("compose-spec.json")


def faults(project: dict[str, Any]) -> list[str]:
    """Each fault with its JSON path."""
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(project)]


@cache
def _validator() -> Validator:
    schema = json.loads(_FILE.read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator: Validator = kind(schema)
    return validator
