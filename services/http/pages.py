"""Serves the page for agents: the files of web/ with their security headers, and a config.json made of settings."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from core.client_settings import WebSettings
from core.errors import FatalError

#: The folder beside the packages, in the repository and in an installation.
FOLDER: Final = Path(__file__).resolve().parents[2] / "web"

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
#: Header of every file. The names contain no hash, so a browser revalidates each time and gets 304 by the ETag.
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)


def security_headers(settings: WebSettings, *, api: str = "") -> dict[str, str]:
    """The headers of every file of the page. A CDN in front of a bucket has to send the same.

    Args:
        settings: have the URL at which the page signs in.
        api: base URL of the RAG service, if that is another host than the page's.
    """
    others = sorted({_origin(url) for url in (api, settings.token_url) if url and "://" in url})
    return {**_HEADERS, "Content-Security-Policy": "; ".join([*_POLICY, " ".join(["connect-src 'self'", *others])])}


def mount_web(app: FastAPI, settings: WebSettings) -> None:
    """Serve the page at `/` of the service that it calls. Each file is a route, so other paths are the app's.

    Raises:
        FatalError: the installation lacks the page's files.
    """
    headers = security_headers(settings)
    for name, content in _files(settings).items():
        answer = _responder(content, {**headers, "Content-Type": _TYPES[Path(name).suffix]})
        for path in ("/", "/index.html") if name == "index.html" else (f"/{name}",):
            app.add_route(path, answer, methods=["GET", "HEAD"], include_in_schema=False)


def _files(settings: WebSettings) -> dict[str, bytes]:
    """The content of each file, by its path in web/."""
    paths = [path for path in FOLDER.rglob("*") if path.suffix in _TYPES]
    found = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
    if "index.html" not in found:
        raise FatalError(f"the installation lacks the page's files: there is no {FOLDER / 'index.html'}")
    config = {
        "api": "",
        "token_url": settings.token_url,
        "tenant": settings.tenant,
        "ticket_url": settings.ticket_url,
        "examples": [text.strip() for text in settings.examples.split("|") if text.strip()],
    }
    return found | {"config.json": msgspec.json.encode(config, enc_hook=str.__str__)}  # an Address is a str


def _responder(content: bytes, headers: Mapping[str, str]) -> Callable[[Request], Awaitable[Response]]:
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    async def answer(request: Request) -> Response:
        given = request.headers.get("If-None-Match", "")
        same = etag in {tag.strip().removeprefix("W/") for tag in given.split(",")}
        return Response(b"" if same else content, 304 if same else 200, {**headers, "ETag": etag})

    return answer


def _origin(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{parts.port}" if parts.port else "")
