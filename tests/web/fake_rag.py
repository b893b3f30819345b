"""A fake RAG service, ticket API and issuer; the question chooses the answer.

It encodes the structs of `answers.events`, so its events follow them.
"""

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import JSONResponse, Response, StreamingResponse

from answers.events import Citation, Done, Event, Refusal, Sentence, Sources, Usage
from answers.evidence import Source
from core.client_settings import WebSettings
from services.http.pages import mount_web
from tests.rigs.asgi import serving
from tests.rigs.waiting import PATIENCE_S

CODE = "4F7K-29QD"
TENANT = "acme"
#: The emoji before the cited span is one character in Python and two code units in JavaScript.
PASSAGE = (
    "Thanks for the screenshot 🙏 that helped. The invoice kept the old VAT rate because the plan was changed before "
    "the address. Open Billing > Tax and press Recalculate; the corrected invoice INV-2291 is sent within an hour."
)
CAUSE = "The invoice kept the old VAT rate because the plan was changed before the address."
FIX = "Open Billing > Tax and press Recalculate; the corrected invoice INV-2291 is sent within an hour."
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"


def source(ticket: str, subject: str, text: str, **more: Any) -> Source:
    """A passage."""
    facts = {"version": 3, "chunk": 1, "message": 2, "score": 0.8, "message_at": 1_790_000_000_000} | more
    return Source(tenant_id=TENANT, ticket_id=ticket, subject=subject, text=text, **facts)


def citation(number: int, passage: str, sentence: str) -> Citation:
    """The span of `sentence` in `passage`."""
    start = passage.index(sentence)
    return Citation(number, start, start + len(sentence))


SOURCES = (
    source(
        "T-1042",
        "Wrong VAT on the invoice after a plan change",
        PASSAGE,
        resolution=True,
        reasons=("in the language of the question",),
    ),
    source(
        "T-0877", "Invoice shows 19 % instead of 7 %", "The rate follows the billing address. " * 14, resolution=True
    ),
    source("T-0031", HOSTILE, f"{HOSTILE} A customer wrote this."),
)


def token(*, tenant: str = TENANT, user: str = "ada", expires_in: float = 3600.0) -> str:
    """A fake token; the fake services accept any."""
    claims = {"custom:tenant_id": tenant, "username": user, "exp": int(time.time() + expires_in)}
    parts = [{"alg": "RS256"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "signature"])


def answer(question: str) -> list[Event]:
    """The events for a question; its words choose the case."""
    begin = Sources("a-1", SOURCES)
    usage = Usage("extractive", 0, 0)
    if "nothing" in question:
        return [
            Sources("a-1", ()),
            Refusal("nothing_found", "No solved ticket of yours is about this."),
            usage,
            Done("a-1", "refused"),
        ]
    if "unsupported" in question:
        return [
            begin,
            Refusal("not_relevant", "The sentences that passed the check are about other tickets.", (1,)),
            usage,
            Done("a-1", "refused"),
        ]
    if "escape" in question:
        hostile = Sentence("Clear \x1b[2J the screen.", (Citation(1, 0, 5),))
        return [begin, hostile, usage, Done("a-1", "answered")]
    if "degraded" in question:
        usage = Usage("extractive", 0, 0, "claude did not answer in time; these sentences are quoted from the tickets")
    sentences = [
        Sentence(CAUSE, (citation(1, PASSAGE, CAUSE),)),
        Sentence(FIX, (citation(1, PASSAGE, FIX), Citation(2, 0, 37))),
    ]
    return [begin, *sentences, usage, Done("a-1", "answered")]


@dataclass
class FakeServices:
    """The requests, and the gate at which a slow answer waits."""

    app: FastAPI
    url: str = ""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    ends: bool = True  # whether signing out works

    def asked(self, path: str) -> list[Any]:
        """Bodies of the requests to paths that end with `path`."""
        return [body for _, at, body in self.requests if at.endswith(path)]


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A problem document."""
    body = {"type": "urn:ticketstream:problem:x", "title": title, "status": status, "detail": detail, **more}
    given = {"X-Request-Id": "req-7", **(headers or {})}
    return JSONResponse(body, status, given, media_type="application/problem+json")


def _frame(event: Event) -> bytes:
    body = msgspec.to_builtins(event)
    tag = body.pop("type")
    return f"event: {tag}\r\ndata: {json.dumps(body, ensure_ascii=False)}\r\n\r\n".encode()


async def _stream(services: FakeServices, question: str) -> AsyncIterator[bytes]:
    try:
        yield b": heartbeat\r\n\r\n"
        for number, event in enumerate(answer(question)):
            if "slow" in question and number == 2:
                await asyncio.to_thread(services.gate.wait, PATIENCE_S)
            if "cut" in question and number == 2:
                return
            frame = _frame(event)
            if "halves" in question:  # a chunk may end anywhere, even inside a character
                for at in range(0, len(frame), 7):
                    yield frame[at : at + 7]
                    await asyncio.sleep(0)
            else:
                yield frame
    finally:
        services.left.set()


def _refusal(question: str) -> Response | None:
    if "busy" in question:
        return problem(503, "Unavailable", "Too many questions are being answered.", {"Retry-After": "2"})
    if "expired" in question:
        return problem(401, "Unauthenticated", "The token has expired.")
    if "broken" in question:
        return problem(500, "The service failed", "The service failed; its log has more.")
    return None


def _document(question: str) -> dict[str, Any]:
    found: dict[str, Any] = {"answer_id": "a-1", "sentences": [], "refusal": None}
    for event in answer(question):
        body = msgspec.to_builtins(event)
        body.pop("type")
        match event:
            case Sources():
                found |= body
            case Sentence():
                found["sentences"].append(body)
            case Refusal():
                found["refusal"] = body
            case Usage():
                found["usage"] = body
            case Done():
                found |= body
    return found


async def _note(request: Request, call_next: RequestResponseEndpoint) -> Response:
    services: FakeServices = request.app.state.services
    body = await request.body()
    if request.method != "GET":
        services.requests.append((request.method, request.url.path, json.loads(body) if body else None))
    services.headers.append(dict(request.headers))
    if request.url.path.startswith("/api/") and "authorization" not in request.headers:
        return problem(401, "Unauthenticated", "Send an access token: Authorization: Bearer TOKEN.")
    return await call_next(request)


async def _token(request: Request) -> Response:
    given = await request.json()
    if request.headers.get("authorization") != f"Bearer {CODE}":
        return problem(401, "Unauthenticated", "The code is wrong.")
    made = token(tenant=given["tenant_id"], user=given["user_id"])
    return JSONResponse({"access_token": made, "expires_in": 3600})


async def _answers(request: Request) -> Response:
    question = (await request.json())["question"]
    if (refused := _refusal(question)) is not None:
        return refused
    if "text/event-stream" in request.headers.get("accept", ""):
        return StreamingResponse(_stream(request.app.state.services, question), media_type="text/event-stream")
    return JSONResponse(_document(question))


async def _feedback(_request: Request) -> Response:
    return Response(status_code=204)


async def _sign_out(request: Request) -> Response:
    services: FakeServices = request.app.state.services
    return Response(status_code=204) if services.ends else problem(503, "Unavailable", "The store is out.")


async def _search(request: Request) -> Response:
    given = await request.json()
    if len(given["question"]) > 100:
        fields = [{"field": "question", "message": "It has more than 100 characters."}]
        return problem(422, "The request is not valid", "The request has fields that are not valid.", errors=fields)
    hit = {"tenant_id": TENANT, "ticket_id": "T-1042", "score": 0.9, "passage": PASSAGE}
    return JSONResponse({"hits": [hit], "nothing": False, "confidence": 0.9, "facets": {}, "model": "fake"})


async def _similar(request: Request) -> Response:
    ticket = request.path_params["ticket"]
    if ticket == "T-404":
        return problem(404, "Not found", "The tenant has no ticket of this id.")
    hits = [{"ticket_id": f"like {ticket}"}]
    return JSONResponse({"hits": hits, "nothing": False, "limit": request.query_params.get("limit")})


async def _ticket(request: Request) -> Response:
    return JSONResponse({"ticket_id": request.path_params["ticket"], "subject": "Wrong VAT"}, headers={"ETag": '"3"'})


def build(settings: WebSettings) -> FakeServices:
    """The app, with the page."""
    app = FastAPI(openapi_url=None)
    services = app.state.services = FakeServices(app)
    app.middleware("http")(_note)
    app.add_route("/token", _token, methods=["POST"])
    app.add_route("/api/v1/answers", _answers, methods=["POST"])
    app.add_route("/api/v1/answers/{answer}/feedback", _feedback, methods=["POST"])
    app.add_route("/api/v1/session", _sign_out, methods=["DELETE"])
    app.add_route("/api/v1/search", _search, methods=["POST"])
    app.add_route("/api/v1/tickets/{ticket:path}/similar", _similar, methods=["GET"])
    app.add_route("/api/v1/tickets/{ticket:path}", _ticket, methods=["GET"])
    mount_web(app, settings)
    return services


@contextmanager
def serve(settings: WebSettings | None = None) -> Iterator[FakeServices]:
    """The services on a port of loopback."""
    services = build(settings or WebSettings(token_url="/token", tenant=TENANT))
    try:
        with serving(services.app) as services.url:
            yield services
    finally:
        services.gate.set()
