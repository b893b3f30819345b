"""Users of the pool, and their tokens by the flows of both applications."""

import base64
import hashlib
import hmac
import re
import secrets
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
from msgspec import Struct

from tests.aws.trial import Trial

PASSWORD: Final = "Correct-horse-9"
_REDIRECT: Final = "http://localhost/"
_API_SCOPE: Final = "ticketstream/api"


class Tokens(Struct, frozen=True):
    """The tokens of a sign-in."""

    access: str
    id: str


class Users:
    """The pool's users."""

    def __init__(self, trial: Trial) -> None:
        self._client: Any = trial.emulator.client("cognito-idp")
        self._url = trial.emulator.url
        self._pool = trial.outputs["pool"]
        self._applications = trial.outputs["client_ids"]

    def create(self, name: str, *, tenant: str | None, role: str) -> None:
        """Create a user with a password, a tenant and a role."""
        attributes = [{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}]
        if tenant is not None:
            attributes.append({"Name": "custom:tenant_id", "Value": tenant})
        pool = {"UserPoolId": self._pool, "Username": name}
        self._client.admin_create_user(**pool, UserAttributes=attributes, MessageAction="SUPPRESS")
        self._client.admin_set_user_password(**pool, Password=PASSWORD, Permanent=True)
        self._client.admin_add_user_to_group(**pool, GroupName=role)

    def of_program(self, name: str) -> Tokens:
        """Sign in as a program does: with its user's password and its own secret."""
        application = self._applications["programs"]
        found = self._client.describe_user_pool_client(UserPoolId=self._pool, ClientId=application)["UserPoolClient"]
        key, text = found["ClientSecret"].encode(), (name + application).encode()
        hashed = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
        given = self._client.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=application,
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD, "SECRET_HASH": hashed},
        )["AuthenticationResult"]
        return Tokens(given["AccessToken"], given["IdToken"])

    def in_browser(self, name: str, *scopes: str) -> Tokens:
        """Sign in on Cognito's page, with a code that is bound to the browser by PKCE."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": self._applications["console"],
            "redirect_uri": _REDIRECT,
            "response_type": "code",
            "scope": " ".join(scopes or ("openid", _API_SCOPE)),
            "state": "s",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        with httpx.Client(base_url=self._url, timeout=60) as http:
            page = http.get("/oauth2/authorize", params=asked)
            assert page.status_code == 200, page.text
            form = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
            answer = http.post("/login", data=form | asked | {"username": name, "password": PASSWORD})
            (code,) = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
            given = http.post(
                "/oauth2/token",
                data={
                    "grant_type": "authorization_code",
                    "client_id": asked["client_id"],
                    "redirect_uri": _REDIRECT,
                    "code": code,
                    "code_verifier": verifier,
                },
            )
        assert given.status_code == 200, given.text
        return Tokens(given.json()["access_token"], given.json().get("id_token", ""))
