"""The ticket API on a DynamoDB that can throttle: moto in this process, behind a gate."""

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import boto3
import msgspec
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from bench.serving.load import TICKETS, Wanted
from bench.serving.outage import Fault
from bench.serving.service import LocalService, open_service
from connectors.ticket_store.tables import definitions
from core.settings import Settings
from synthetic.facts import TENANTS

_REGION: Final = "eu-central-1"
_PREFIX: Final = "bench-"
_CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": _REGION}
_THROTTLED: Final = msgspec.json.encode(
    {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Rate exceeded"}
)


class Gate:
    """A WSGI application in front of moto, which takes one call at a time, and throttles all of them while `shut`."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = threading.Lock()
        self.shut = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a call."""
        if self.shut:
            start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.0")])
            return [_THROTTLED]
        with self._lock:
            return list(self._app(environ, start_response))

    def close(self) -> None:
        """Throttle."""
        self.shut = True

    def open(self) -> None:
        """Answer again."""
        self.shut = False


def open_throttled(settings: Settings, stack: ExitStack) -> tuple[LocalService, Fault]:
    """The ticket API over empty tables, and their throttling."""
    gate = Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True)
    stack.callback(server.shutdown)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    client: Any = boto3.client(
        "dynamodb",
        region_name=_REGION,
        endpoint_url=endpoint,
        aws_access_key_id=_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    for definition in definitions(_PREFIX):
        client.create_table(**definition)
    variables = {
        **_CREDENTIALS,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "TICKETS_API__STORE": "dynamodb",
        "TICKETS_API__TABLE_PREFIX": _PREFIX,
        "TICKETS_API__AWS_REGION": _REGION,
        "TICKETS_TOPICS__RAW": settings.topics.raw,
    }
    return open_service("services.tickets", variables, stack), Fault(gate.close, gate.open)


def changes(count: int) -> list[Wanted]:
    """Requests that create tickets, and that list them."""
    return [
        Wanted("POST", TICKETS, TENANTS[number % len(TENANTS)], {"ticket_id": f"B-{number}", "subject": "A ticket"})
        if number % 2
        else Wanted("GET", f"{TICKETS}?limit=5", TENANTS[number % len(TENANTS)])
        for number in range(count)
    ]
