"""The page's files are served with a strict policy and an ETag, and config.json is made from settings."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from core.client_settings import WebSettings
from services.http.pages import FOLDER, mount_web, security_headers

_SETTINGS = WebSettings(
    token_url="https://user:secret@issuer.example:8443/token?x=1",
    tenant="acme",
    ticket_url="https://desk.example/t?id={ticket_id}",
    examples="Why? | How? |",
)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = FastAPI()
    mount_web(app, _SETTINGS)
    with TestClient(app) as running:
        yield running


def test_every_file_of_the_page_is_served(client: TestClient) -> None:
    """Each file has a content type, an ETag, `no-cache` and the policy."""
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert len(files) > 15
    for path in files:
        response = client.get(f"/{path.relative_to(FOLDER).as_posix()}")
        assert response.status_code == 200, path
        assert path.name == "config.json" or response.content == path.read_bytes()
        assert response.headers["Cache-Control"] == "no-cache"
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "trusted-types 'none'"} <= set(policy)
        assert {"require-trusted-types-for 'script'", "form-action 'none'", "frame-ancestors 'none'"} <= set(policy)
        assert "connect-src 'self' https://issuer.example:8443" in policy
        assert client.get(response.request.url, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
    assert client.get("/").content == (FOLDER / "index.html").read_bytes()


def test_the_settings_reach_the_page(client: TestClient) -> None:
    """config.json has the settings, and the API on the page's own host."""
    assert json.loads((FOLDER / "config.json").read_text()).keys() == client.get("/config.json").json().keys()
    assert client.get("/config.json").json() == {
        "api": "",
        "token_url": "https://user:secret@issuer.example:8443/token?x=1",
        "tenant": "acme",
        "ticket_url": "https://desk.example/t?id={ticket_id}",
        "examples": ["Why?", "How?"],
    }


def test_other_paths_stay_the_apps(client: TestClient) -> None:
    """Only the page's files are served, and only for GET and HEAD."""
    for path in ("/nothing", "/js/", "/..%2fpyproject.toml", "/js/%2e%2e/index.html%00"):
        assert client.get(path).status_code == 404
    assert client.post("/index.html").status_code == 405


def test_the_page_may_be_on_another_host_than_the_api() -> None:
    """A CDN sends a policy that names the API and the issuer."""
    policy = security_headers(WebSettings(token_url="https://[::1]/token"), api="https://api.example/v/")
    assert policy["Content-Security-Policy"].endswith("; connect-src 'self' https://[::1] https://api.example")


def test_the_page_has_no_inline_script_or_style() -> None:
    """The page has no inline script, style or handler, and builds no HTML from text."""
    html = (FOLDER / "index.html").read_text()
    assert "<style" not in html
    assert " style=" not in html
    assert " on" not in html.replace(" one", "").replace(" on ", "")
    assert html.count("<script") == html.count('<script type="module" src=')
    for path in FOLDER.glob("js/*.js"):
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert sink not in path.read_text(), path
