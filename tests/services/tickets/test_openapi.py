"""The OpenAPI document is that of the code, its examples work, and generated requests find no fault."""

import json
import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.docs.tables import DOCS, SCHEMAS
from tests.services.tickets.apps import PATH, Api, open_api

_NAME: Final = "openapi/tickets.json"
_DOCUMENT: Final[dict[str, Any]] = json.loads((DOCS / _NAME).read_text())
_OPERATIONS: Final = [
    (method.upper(), path, operation)
    for path, operations in _DOCUMENT["paths"].items()
    if path.startswith("/api/")
    for method, operation in operations.items()
]
#: The order in which the examples work on one ticket.
_ORDER: Final = [
    "create_ticket",
    "list_tickets",
    "get_ticket",
    "update_ticket",
    "add_comment",
    "close_ticket",
    "delete_ticket",
    "get_session",
    "end_sessions",
    "sign_out",
]
_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_EXAMPLES: Final = int(os.environ.get("TICKETS_TEST_EXAMPLES", "3"))
_HEADERS: Final = {"Authorization": "Bearer acme/jane/operator", "If-Match": "*"}
#: Of a user who signs out.
_LEAVING: Final = {"Authorization": "Bearer acme/leaving/operator"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with open_api(tmp_path_factory.mktemp("api")) as opened:
        yield opened


def test_the_document_is_that_of_the_code() -> None:
    """docs/openapi/tickets.json describes the app as it is; `make docs` writes it."""
    assert SCHEMAS[_NAME]() == _DOCUMENT


def test_every_operation_has_an_example_that_works(api: Api) -> None:
    """The examples of the document, sent in turn, succeed as it says."""
    operations = {operation["operationId"]: (method, path, operation) for method, path, operation in _OPERATIONS}
    assert sorted(operations) == sorted(_ORDER)
    for name in _ORDER:
        method, path, operation = operations[name]
        body = _example(operation)
        if name == "create_ticket":
            assert body is not None
            body["ticket_id"] = "T-1"
        path = path.replace("{ticket_id}", "T-1").replace("{user_id}", "joe")
        if path.startswith(PATH):
            response = api.send(method, path.removeprefix(PATH), body)
        else:
            response = api.client.request(method, path, headers=_LEAVING)
        assert str(response.status_code) == min(operation["responses"]), (name, response.text)


def _example(operation: dict[str, Any]) -> dict[str, Any] | None:
    if "requestBody" not in operation:
        return None
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    reference = schema["$ref"] if "$ref" in schema else schema["anyOf"][0]["$ref"]
    example: dict[str, Any] = _DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]["example"]
    return dict(example)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), [found[:2] for found in _OPERATIONS])
def test_generated_requests_find_no_fault(api: Api, method: str, path: str, mode: GenerationMode) -> None:
    """Requests from the document, and requests that break it, get a documented answer in the documented form."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.app)
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
        if "ticket_id" in (case.path_parameters or {}) and mode is GenerationMode.POSITIVE:
            case.path_parameters["ticket_id"] = api.create()["ticket_id"]
        response = case.call(headers=_HEADERS if path.startswith(PATH) else _LEAVING)
        case.validate_response(response, checks=_CHECKS)
        assert response.status_code != 500

    run()
