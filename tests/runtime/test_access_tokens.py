"""A client's access token comes from a setting, a file or a sign-in, and is always the tenant's."""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import SecretStr

from core.client_settings import ClientSettings
from core.errors import ConfigError, TicketstreamError, UnavailableError
from runtime.access_tokens import open_token, tenant_of
from tests.web.fake_rag import CODE, FakeServices, serve, token


@pytest.fixture(scope="module")
def services() -> Iterator[FakeServices]:
    with serve() as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def test_a_file_is_read_for_each_request(tmp_path: Path, http: httpx.Client) -> None:
    """A token that was renewed in its file is used from then on."""
    file = tmp_path / "token"
    file.write_text("first\n")
    read = open_token(ClientSettings(token_file=file), http, tenant="acme")  # it names no tenant
    assert read() == "first"
    file.write_text("second")
    assert read() == "second"


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "can't read"), ("", "is empty"), ("a b", "not a token"), ("ü", "not a token"), ("a\nb", "not a token")],
)
def test_a_file_without_a_token_is_the_users_mistake(
    tmp_path: Path, http: httpx.Client, content: str | None, words: str
) -> None:
    """A missing, empty or malformed file is an error that names the settings."""
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=words) as raised:
        open_token(ClientSettings(token_file=file), http, tenant=None)
    assert "TICKETS_CLIENT__TOKEN" in str(raised.value)


def test_a_code_signs_in_once(services: FakeServices, http: httpx.Client) -> None:
    """The issuer is asked for the tenant's token when it is first needed, and not again before it expires."""
    settings = ClientSettings(token_url=f"{services.url}/token", sign_in_code=SecretStr(CODE))
    read = open_token(settings, http, tenant="globex")
    assert tenant_of(read()) == "globex"
    assert read() == read()
    assert len(services.asked("/token")) == 1
    assert services.asked("/token")[0]["tenant_id"] == "globex"


def test_a_program_gets_a_token_for_each_tenant_by_its_credentials() -> None:
    """The request is Cognito's: client credentials, the client's secret, and the tenant as client metadata."""
    asked: list[httpx.Request] = []

    def issue(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"access_token": f"token-{len(asked)}", "expires_in": 3600})

    settings = ClientSettings(token_url="https://auth.test/oauth2/token", client_id="c", client_secret=SecretStr("s"))
    with httpx.Client(transport=httpx.MockTransport(issue)) as http:
        read = open_token(settings, http, tenant="globex")
        assert (read(), read()) == ("token-1", "token-1")
    fields = dict(parse_qsl(asked[0].content.decode()))
    assert fields == {"grant_type": "client_credentials", "aws_client_metadata": '{"tenant_id": "globex"}'}
    assert asked[0].headers["Authorization"] == f"Basic {base64.b64encode(b'c:s').decode()}"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_credentials_that_the_issuer_refuses_are_the_users_mistake(status: int) -> None:
    """Cognito answers 400 where the trigger refuses the tenant, or the client or its scope is unknown."""
    settings = ClientSettings(token_url="https://auth.test/oauth2/token", client_id="c", client_secret=SecretStr("s"))
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status))) as http,
        pytest.raises(ConfigError, match="set TICKETS_CLIENT__CLIENT_ID and CLIENT_SECRET"),
    ):
        open_token(settings, http, tenant="globex")


@pytest.mark.parametrize(
    ("given", "tenant", "kind", "words"),
    [
        ({}, "acme", ConfigError, "an access token is needed: set TICKETS_CLIENT__TOKEN"),
        ({"token": token(tenant="globex")}, "acme", ConfigError, "is for tenant globex, not acme"),
        ({"token_url": "{url}/token", "sign_in_code": CODE}, None, ConfigError, "give --tenant"),
        ({"token_url": "{url}/token", "sign_in_code": "no"}, "acme", ConfigError, "set TICKETS_CLIENT__SIGN_IN_CODE"),
        (
            {"token_url": "http://127.0.0.1:1/", "sign_in_code": "x"},
            "acme",
            UnavailableError,
            "the issuer gives no token",
        ),
        ({"token_url": "{url}/", "sign_in_code": "x"}, "acme", UnavailableError, "the issuer gives no token"),
    ],
)
def test_no_token_is_one_line(  # noqa: PLR0917 - two fixtures
    services: FakeServices,
    http: httpx.Client,
    given: dict[str, str],
    tenant: str | None,
    kind: type[TicketstreamError],
    words: str,
) -> None:
    """If there is no token, one line says which setting to change."""
    settings = ClientSettings.model_validate({name: text.format(url=services.url) for name, text in given.items()})
    with pytest.raises(kind, match=words):
        open_token(settings, http, tenant=tenant)
