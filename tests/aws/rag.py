"""A stand-in for the RAG service, which records its requests."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.rigs.asgi import serving


class Seen(Struct, frozen=True):
    """A request."""

    method: str
    path: str
    query: str
    authorization: str


class Rag(Struct, frozen=True):
    """Its URL, and the requests that it got."""

    url: str
    seen: list[Seen]


@contextmanager
def serving_rag() -> Iterator[Rag]:
    """Serve on loopback until the end of the `with`."""
    seen: list[Seen] = []

    async def answer(request: Request) -> Response:
        seen.append(Seen(request.method, request.url.path, request.url.query, request.headers.get("authorization", "")))
        if request.url.path.endswith("/feedback"):
            return Response(status_code=204)
        return JSONResponse({"hits": []})

    routes = [Route("/{path:path}", answer, methods=["GET", "POST", "PATCH", "DELETE"])]
    with serving(Starlette(routes=routes)) as url:
        yield Rag(url, seen)
