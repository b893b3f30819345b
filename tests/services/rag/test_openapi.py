"""The OpenAPI document is that of the code, its examples work, and generated requests find no fault."""

import json
import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connectors.qdrant.policy import VersionedIndex
from tests.docs.tables import DOCS, SCHEMAS
from tests.services.rag.asking import ask
from tests.services.rag.world import RagWorld

_NAME: Final = "openapi/rag.json"
_DOCUMENT: Final[dict[str, Any]] = json.loads((DOCS / _NAME).read_text())
_OPERATIONS: Final = [
    (method.upper(), path, operation)
    for path, operations in _DOCUMENT["paths"].items()
    if path.startswith("/api/")
    for method, operation in operations.items()
]
_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_EXAMPLES: Final = int(os.environ.get("TICKETS_TEST_EXAMPLES", "5"))


@pytest.fixture(scope="module")
def world(index: VersionedIndex, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RagWorld]:
    """A world, shared by the tests of this module."""
    world = RagWorld(index, tmp_path_factory.mktemp("openapi"))
    yield world
    world.feedback.close()


@pytest.fixture(scope="module")
def shared(world: RagWorld) -> Iterator[TestClient]:
    """A client of a service, shared by the tests of this module."""
    with world.client() as client:
        yield client


def headers_of(world: RagWorld, operation_id: str) -> dict[str, str]:
    """The headers of a caller: an agent, or an operator who signs out."""
    leaving = operation_id in ("get_session", "sign_out", "end_sessions")
    roles, user = (["operator"], f"leaves-by-{operation_id}") if leaving else ([], "u-1")
    return world.issuer.headers(world.acme, *roles, user_id=user)


def test_the_document_is_that_of_the_code() -> None:
    """docs/openapi/rag.json describes the app as it is; `make docs` writes it."""
    assert SCHEMAS[_NAME]() == _DOCUMENT


@pytest.mark.parametrize(("method", "path", "operation"), _OPERATIONS, ids=lambda value: str(value)[:40])
def test_every_operation_has_examples_that_work(
    world: RagWorld, shared: TestClient, method: str, path: str, operation: dict[str, Any]
) -> None:
    """Each example of the document gets the documented success."""
    ids = {"ticket_id": "T-1", "answer_id": ask(shared)["answer_id"], "user_id": "joe"}
    headers = headers_of(world, operation["operationId"])
    in_path = [one["schema"] for one in operation.get("parameters", ()) if one["in"] == "path"]
    assert all("examples" in schema for schema in in_path)
    for body in _examples(operation):
        if isinstance(body, dict) and "ticket_id" in body:
            body["ticket_id"] = "T-2"
        response = shared.request(method, path.format(**ids), json=body, headers=headers)
        assert str(response.status_code) == min(operation["responses"]), response.text


def _examples(operation: dict[str, Any]) -> list[dict[str, Any] | None]:
    if "requestBody" not in operation:
        return [None]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return list(_DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]["examples"])


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path", "operation"), _OPERATIONS, ids=lambda value: str(value)[:40])
def test_generated_requests_find_no_fault(
    world: RagWorld, shared: TestClient, method: str, path: str, operation: dict[str, Any], *, mode: GenerationMode
) -> None:
    """Requests from the document, and requests that break it, get a documented answer in the documented form."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", shared.app)
    strategy = schema[path][method].as_strategy(generation_mode=mode)

    @seed(1)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(case: Any) -> None:
        response = case.call(headers=headers_of(world, operation["operationId"]))
        case.validate_response(response, checks=_CHECKS)
        assert response.status_code != 500

    run()
