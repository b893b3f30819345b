"""The operations and models that API Gateway takes from the services' OpenAPI documents: `python -m deploy.gateway`.

The Terraform module `api` reads them. A model is a schema of JSON Schema draft
4, without titles, descriptions and examples. The close of a ticket has none, because its body may be missing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[1]
OPERATIONS: Final = _ROOT / "deploy" / "terraform" / "modules" / "api" / "operations.json"
_DOCUMENTS: Final = _ROOT / "docs" / "openapi"
_PREFIX: Final = "/api/"
#: Operations that the function `responses` passes on; the others of the RAG service go through the VPC link.
_RESPONSES: Final = frozenset({"POST /api/v1/answers/{answer_id}/feedback"})
_NOTES: Final = frozenset({"title", "description", "default", "example", "examples", "format"})
_SCHEMAS: Final = "#/components/schemas/"


def gateway_document() -> dict[str, Any]:
    """The operations under /api/ by method and path, and the models of their bodies."""
    operations: dict[str, object] = {}
    models: dict[str, object] = {}
    for service in ("tickets", "rag"):  # both have the operations of sessions; the first one answers them
        document = json.loads((_DOCUMENTS / f"{service}.json").read_text())
        schemas = document["components"]["schemas"]
        for path, item in document["paths"].items():
            for method, operation in item.items():
                name = f"{method.upper()} {path}"
                if not path.startswith(_PREFIX) or name in operations:
                    continue
                model = _model(operation)
                if model is not None:
                    models[model] = {"$schema": "http://json-schema.org/draft-04/schema#"} | _inlined(
                        schemas[model], schemas
                    )
                operations[name] = {
                    "service": "responses" if name in _RESPONSES else service,
                    "model": model,
                    "placeholders": [part[1:-1] for part in path.split("/") if part.startswith("{")],
                }
    return {"operations": dict(sorted(operations.items())), "models": dict(sorted(models.items()))}


def _model(operation: Mapping[str, Any]) -> str | None:
    """The name of the schema of a required body."""
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref")
    return None if reference is None else str(reference.removeprefix(_SCHEMAS))


def _inlined(schema: Any, schemas: Mapping[str, Any], *, named: bool = False) -> Any:
    """A schema with every reference replaced by its schema; `named` if its keys are names of fields."""
    if isinstance(schema, list):
        return [_inlined(each, schemas) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema and not named:
        return _inlined(schemas[schema["$ref"].removeprefix(_SCHEMAS)], schemas)
    return {
        key: _inlined(value, schemas, named=not named and key in ("properties", "patternProperties"))
        for key, value in schema.items()
        if named or key not in _NOTES
    }


def rendered() -> str:
    """The content of the module's file."""
    return json.dumps(gateway_document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    OPERATIONS.write_text(rendered())
