"""The attack grid fails on every authenticator that lacks one check."""

import asyncio
import inspect
import sys
import types
from typing import Any, Final

import pytest

from runtime.telemetry import Telemetry
from services.http import tokens
from services.http.callers import Authenticator, Caller
from services.http.problems import Problem
from tests.rigs.issuer import AUDIENCE, CLIENT, ISSUER, Issuer
from tests.services.http.test_tokens import ATTACKS

#: The source of a check, and the mutant that replaces it.
MUTANTS: Final = {
    "any_header": ("if not _HEADERS.issuperset(given):", "if False:"),
    "any_algorithm": ('if header.alg != "RS256":', "if False:"),
    "any_signature": (
        'jwt.PyJWS().decode(token, key, algorithms=["RS256"])',
        'jwt.PyJWS().decode(token, options={"verify_signature": False})',
    ),
    "any_key": ("key = await self._keys.find(header.kid)", "key = await self._keys.find('k1')"),
    "any_issuer": ("if claims.iss != self._issuer:", "if False:"),
    "issuer_by_prefix": ("if claims.iss != self._issuer:", "if not claims.iss.startswith(self._issuer):"),
    "any_use": ('if claims.token_use != "access":', "if False:"),
    "no_expiry": ("if not now < claims.exp + SKEW_S:", "if False:"),
    "no_beginning": ("if not max(claims.nbf, claims.iat) - SKEW_S <= now:", "if False:"),
    "issued_whenever": ("max(claims.nbf, claims.iat)", "claims.nbf"),
    "issued_before_all_time": ("iat: Annotated[float, Meta(ge=0)]", "iat: float"),
    "clocks_far_apart": ("SKEW_S: Final = 30.0", "SKEW_S: Final = 300.0"),
    "any_client": ("if self._client_ids and claims.client_id not in self._client_ids:", "if False:"),
    "any_audience": ("if self._audiences and ", "if False and "),
    "any_tenant": ("tenant_id: TenantId = field(", "tenant_id: str = field("),
    "a_tenant_for_none": ('field(name="custom:tenant_id")', 'field(name="custom:tenant_id", default="acme")'),
    "any_subject": ("sub: Annotated[str, Meta(pattern=", "sub: Annotated[str, Meta(description="),
    "no_role": ("if not roles:", "if False:"),
    "roles_of_any_case": ("if role in claims.groups", "if role in map(str.lower, claims.groups)"),
}


def authenticator_of(module: Any) -> tuple[Authenticator, Issuer, Telemetry]:
    """An authenticator of `module` that accepts the audience and the client of the tests' issuer."""
    issuer, telemetry = Issuer(), Telemetry()
    found = module.authenticator_of(
        issuer.document, issuer=ISSUER, audiences=(AUDIENCE,), client_ids=(CLIENT,), telemetry=telemetry
    )
    return found, issuer, telemetry


async def broken(module: Any) -> list[str]:
    """Attacks that are accepted, or refused for another reason."""
    authenticator, issuer, telemetry = authenticator_of(module)
    found = []
    for name, (forge, reason, status) in ATTACKS.items():
        labels, refused = {"reason": reason}, 0
        before = telemetry.registry.get_sample_value("tickets_auth_refused_total", labels) or 0
        try:
            await authenticator.authenticate(forge(issuer))
        except Problem as problem:
            refused = problem.status
        after = telemetry.registry.get_sample_value("tickets_auth_refused_total", labels) or 0
        if refused != status or after != before + 1:
            found.append(name)
    return found


def mutated(old: str, new: str) -> Any:
    """The module of tokens with `new` in place of `old`."""
    source = inspect.getsource(tokens)
    assert old in source
    module = types.ModuleType("mutant")
    exec(compile(source.replace(old, new), "mutant", "exec"), module.__dict__)
    return module


def test_the_product_refuses_all() -> None:
    """The authenticator without a mutation refuses every attack for its reason, and accepts a valid token."""
    assert asyncio.run(broken(tokens)) == []
    authenticator, issuer, _ = authenticator_of(tokens)
    found = asyncio.run(authenticator.authenticate(issuer.token()))
    assert found.sign_in is not None
    assert found == Caller("acme", "u-1", frozenset({"agent"}), found.sign_in)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least one attack gets through, or is refused for another reason."""
    module = mutated(*MUTANTS[name])
    monkeypatch.setitem(sys.modules, "mutant", module)  # annotations are looked up there
    assert asyncio.run(broken(module))
