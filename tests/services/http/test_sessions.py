"""Sign-ins end before their tokens: by signing out, by an operator, in every service, and in an outage too."""

import time
from collections.abc import Sequence
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from connectors.sessions.memory import MemoryEndings
from core.errors import TransientError
from core.sessions import Ending
from tests.rigs.issuer import Issuer
from tests.rigs.mutation import mutant
from tests.services.http.apps import App

_SESSION: Final = "/api/v1/session"
_NOTE: Final = "/api/v1/notes/n1"
_DAY_S: Final = 86_400


class Store(MemoryEndings):
    """A store that fails while `out`."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.out = False
        self.asked = 0

    def put(self, ending: Ending, *, now_ms: int) -> None:
        self._ask()
        super().put(ending, now_ms=now_ms)

    def find(self, keys: Sequence[str], *, now_ms: int) -> Sequence[Ending]:
        self._ask()
        return super().find(keys, now_ms=now_ms)

    def _ask(self) -> None:
        self.asked += 1
        if self.out:
            raise TransientError("secret host is out", retry_after_s=1.0)


def call(app: App, token: str, method: str = "POST", path: str = _NOTE) -> Response:
    """The answer to a request with this token; by default one that any caller may send."""
    body = {"json": {"text": "a"}} if method == "POST" else {}
    return TestClient(app.app).request(method, path, headers={"Authorization": f"Bearer {token}"}, **body)  # type: ignore[arg-type]


def works(app: App, *tokens: str) -> list[bool]:
    """Whether each of the tokens is accepted."""
    found = [call(app, token).status_code for token in tokens]
    assert set(found) <= {200, 401}
    return [status == 200 for status in found]


def token(app: App, session: str, *, claim: str = "origin_jti", user: str = "u-1", **claims: Any) -> str:
    """A token of a sign-in."""
    return app.issuer.token(user_id=user, claims={claim: session, **claims})


def sign_out(app: App, given: str) -> None:
    """Sign out with a token."""
    assert call(app, given, "DELETE", _SESSION).status_code == 204


def test_a_token_that_is_replayed_after_sign_out_is_refused() -> None:
    """The token is 401 with a challenge and a problem document, in the next request and in every service."""
    store, issuer = Store(), Issuer()
    app, other = App(endings=store, issuer=issuer), App(endings=store, issuer=issuer)
    gone, others = token(app, "s-1"), [token(app, "s-2"), token(app, "s-1", user="u-2")]
    assert works(app, gone, *others) == [True] * 3
    sign_out(app, gone)
    for one in (app, other):
        refused = call(one, gone)
        assert refused.status_code == 401
        assert refused.json()["title"] == "A valid access token is required"
        assert refused.json()["detail"] == "The sign-in of this access token has ended."
        assert refused.headers["WWW-Authenticate"].startswith('Bearer realm="ticketstream", error="invalid_token"')
        assert call(one, gone, "DELETE", _SESSION).status_code == 401
        assert call(one, gone, "GET", "/api/v1/nothing").status_code == 401
        assert one.metric("tickets_auth_refused_total", reason="signed-out") == 3
        assert works(one, *others) == [True, True]


@pytest.mark.parametrize("claim", ["origin_jti", "sid"])
def test_signing_out_ends_all_tokens_of_the_sign_in(claim: str) -> None:
    """Tokens that the issuer made of the same sign-in, earlier or later, are refused too, until it can make no more."""
    app = App()
    tokens = [token(app, "s-1", claim=claim, jti=f"t-{number}") for number in range(3)]
    sign_out(app, tokens[1])
    later = token(app, "s-1", claim=claim, jti="t-9", iat=int(time.time()) + 20)
    assert works(app, *tokens, later) == [False] * 4
    app.late_s = 29 * _DAY_S
    assert works(app, later) == [False]


def test_without_a_sign_in_each_token_is_its_own() -> None:
    """Where the issuer names no sign-in, signing out ends the one token, by its `jti` or its times."""
    app = App()
    first, second = (app.issuer.token(claims={"jti": jti}) for jti in ("t-1", "t-2"))
    sign_out(app, first)
    assert works(app, first, second) == [False, True]
    now = int(time.time())
    first, second = (app.issuer.token(claims={"iat": now - before}) for before in (2, 1))
    sign_out(app, first)
    assert works(app, first, second) == [False, True]


def test_an_operator_ends_the_sign_ins_of_a_user() -> None:
    """Every sign-in up to now ends, with its later tokens; a new one, other users and other tenants go on."""
    app = App()
    now = int(time.time())
    before, refreshed = token(app, "s-1", auth_time=now - 60), token(app, "s-1", auth_time=now - 60, iat=now + 20)
    old, again = app.issuer.token(claims={"iat": now - 60}), token(app, "s-2", auth_time=now + 2)
    others = [token(app, "s-3", user="u-2"), app.issuer.token("globex", claims={"iat": now - 60})]
    path = "/api/v1/users/u-1/sessions"
    assert call(app, before, "DELETE", path).status_code == 403
    operator = app.issuer.token("acme", "operator", user_id="boss")
    assert call(app, operator, "DELETE", path).status_code == 204
    assert works(app, before, refreshed, old) == [False] * 3
    assert works(app, again, *others) == [True] * 3


def test_a_session_says_who_is_signed_in() -> None:
    """The document has user, tenant, roles and times of the token."""
    app = App()
    now = int(time.time())
    given = app.issuer.token("acme", "operator", "agent", claims={"auth_time": now - 60, "exp": now + 60})
    found = call(app, given, "GET", _SESSION).json()
    assert (found["tenant_id"], found["user_id"], found["roles"]) == ("acme", "u-1", ["agent", "operator"])
    times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (now - 60, now + 60)]
    assert [found["signed_in_at"], found["expires_at"]] == times


def test_in_an_outage_known_ends_are_kept_and_tokens_go_on() -> None:
    """Without the store a token is accepted unless this process knows its end; signing out is a 503."""
    store = Store()
    app = App(endings=store)
    gone, stays = token(app, "s-1"), token(app, "s-2")
    sign_out(app, gone)
    store.out = True
    assert works(app, stays, gone, stays) == [True, False, True]
    refused = call(app, stays, "DELETE", _SESSION)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "secret" not in refused.text
    asked = store.asked
    assert works(app, stays, gone) == [True, False]
    assert store.asked == asked
    assert app.metric("tickets_auth_unchecked_total") == 6
    assert app.metric("tickets_circuit_state", dependency="sessions") == 2
    store.out = False
    app.late_s = 60
    assert works(app, stays, gone) == [True, False]
    assert app.metric("tickets_circuit_state", dependency="sessions") == 0
    sign_out(app, stays)


def test_an_end_that_another_process_wrote_is_known_in_an_outage() -> None:
    """A token that was once refused for its end is refused in an outage too."""
    store, issuer = Store(), Issuer()
    app, other = App(endings=store, issuer=issuer), App(endings=store, issuer=issuer)
    gone = token(app, "s-1")
    sign_out(other, gone)
    assert works(app, gone) == [False]
    store.out = True
    assert works(app, gone) == [False]


#: The code and the fault in its place, and the test that must fail on it.
_FAULTS: Final = {
    "ends are this process's own": (
        "        self._endings.put(ending, now_ms=now_ms)\n",
        "",
        "test_a_token_that_is_replayed_after_sign_out_is_refused",
    ),
    "a sign-in is that of all users": (
        "_hash(caller.tenant_id, caller.user_id, sign_in)",
        "_hash(sign_in)",
        "test_a_token_that_is_replayed_after_sign_out_is_refused",
    ),
    "an end is forgotten with its token": (
        "max(expires_ms, now_ms + self._keep_ms)",
        "expires_ms or now_ms + self._keep_ms",
        "test_signing_out_ends_all_tokens_of_the_sign_in",
    ),
    "users of all tenants are one": (
        "_hash(tenant_id, user_id)",
        "_hash(user_id)",
        "test_an_operator_ends_the_sign_ins_of_a_user",
    ),
    "a user never signs in again": (
        "_user_key(tenant_id, user_id), self._now_ms(), 0",
        "_user_key(tenant_id, user_id), ALWAYS_MS, 0",
        "test_an_operator_ends_the_sign_ins_of_a_user",
    ),
    "an outage forgets the ends": (
        "return self._known.find(keys, now_ms=now_ms)",
        "return []",
        "test_in_an_outage_known_ends_are_kept_and_tokens_go_on",
    ),
    "ends of others are not kept": (
        "                    self._known.put(one, now_ms=now_ms)\n",
        "                    pass\n",
        "test_an_end_that_another_process_wrote_is_known_in_an_outage",
    ),
    "every request waits for an outage": (
        "if self._circuit.allow():",
        "if True:",
        "test_in_an_outage_known_ends_are_kept_and_tokens_go_on",
    ),
}


@pytest.mark.parametrize("name", _FAULTS)
def test_each_rule_catches_its_mutant(name: str) -> None:
    """The test, which passes on the code, fails on the mutant."""
    code, fault, test = _FAULTS[name]
    with (
        mutant("services.http", "sessions", code, fault, f"test_sessions.{test}") as run,
        pytest.raises(AssertionError),
    ):
        run()
