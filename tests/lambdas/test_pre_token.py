"""Tokens name the user's own tenant and known roles, or there is no token."""

from typing import Any

import pytest

from lambdas.pre_token import SCOPE, RefusedTokenError, with_tenant

ATTRIBUTES = {"sub": "u-1", "email": "jane@acme.test", "custom:tenant_id": "acme"}


def sign_in(
    attributes: object = ATTRIBUTES,
    *,
    groups: object = ("agent",),
    metadata: dict[str, str] | None = None,
    version: object = "2",
) -> dict[str, Any]:
    """The event of a user who signs in."""
    return {
        "version": version,
        "triggerSource": "TokenGeneration_Authentication",
        "callerContext": {"clientId": "web"},
        "request": {
            "userAttributes": attributes,
            "groupConfiguration": {"groupsToOverride": groups, "iamRolesToOverride": ["arn:aws:iam::1:role/admin"]},
            "scopes": ["openid"],
            "clientMetadata": metadata,
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }


def test_both_tokens_name_the_users_tenant() -> None:
    """The services read tenant and roles from the access token, the page from the ID token."""
    event = with_tenant(sign_in(metadata={"tenant_id": "acme"}))
    details = event["response"]["claimsAndScopeOverrideDetails"]
    for token in ("idTokenGeneration", "accessTokenGeneration"):
        assert details[token] == {"claimsToAddOrOverride": {"custom:tenant_id": "acme"}}
    assert event["request"] == sign_in(metadata={"tenant_id": "acme"})["request"]


@pytest.mark.parametrize(
    ("groups", "roles"),
    [(["operator", "agent"], ["agent", "operator"]), (["admins", "Agent", "agent/x"], []), ([], []), (None, [])],
)
def test_groups_are_reduced_to_known_roles(groups: object, roles: list[str]) -> None:
    """Groups that are no roles, such as those of federated directories, and AWS roles don't reach the services."""
    details = with_tenant(sign_in(groups=groups))["response"]["claimsAndScopeOverrideDetails"]
    assert details["groupOverrideDetails"] == {"groupsToOverride": roles, "iamRolesToOverride": []}


def test_another_tenant_than_the_users_gets_no_token() -> None:
    """A client may ask for a tenant, but the user's attribute decides."""
    with pytest.raises(RefusedTokenError, match="not a user of this tenant"):
        with_tenant(sign_in(metadata={"tenant_id": "globex"}))


@pytest.mark.parametrize("tenant", [None, "", "acme/x", "acme\n", "-acme", 7])
def test_a_user_without_a_valid_tenant_gets_no_token(tenant: object) -> None:
    """A missing or malformed attribute never becomes a claim."""
    attributes = {**ATTRIBUTES, "custom:tenant_id": tenant}
    with pytest.raises(RefusedTokenError, match="belongs to no tenant"):
        with_tenant(sign_in(attributes))
    with pytest.raises(RefusedTokenError, match="belongs to no tenant"):
        with_tenant(sign_in(None))


@pytest.mark.parametrize("version", ["1", None])
def test_a_trigger_of_version_one_is_refused(version: object) -> None:
    """A trigger of version 1 is refused, because it changes ID tokens only and access tokens would lack the tenant."""
    with pytest.raises(RefusedTokenError, match="V2_0"):
        with_tenant(sign_in(version=version))


def program(metadata: object, *scopes: str) -> dict[str, Any]:
    """The event of a program that asks for a token by its own credentials, in version V3_0."""
    return {
        "version": "3",
        "triggerSource": "TokenGeneration_ClientCredentials",
        "callerContext": {"clientId": "workflow"},
        "request": {"userAttributes": {}, "scopes": list(scopes), "clientMetadata": metadata},
        "response": {"claimsAndScopeOverrideDetails": None},
    }


def test_a_program_acts_for_the_tenant_that_it_names() -> None:
    """Its access token gets the tenant; its role is the scope, which Cognito has granted."""
    response = with_tenant(program({"tenant_id": "globex"}, SCOPE))["response"]
    assert response == {
        "claimsAndScopeOverrideDetails": {
            "accessTokenGeneration": {"claimsToAddOrOverride": {"custom:tenant_id": "globex"}}
        }
    }


@pytest.mark.parametrize("scopes", [[], ["openid"], ["ticketstream/agent"]])
def test_a_program_without_the_scope_gets_no_token(scopes: list[str]) -> None:
    """Only a client that may use the scope names its tenant itself."""
    with pytest.raises(RefusedTokenError, match="needs the scope"):
        with_tenant(program({"tenant_id": "globex"}, *scopes))


@pytest.mark.parametrize("metadata", [None, {}, {"tenant_id": ""}, {"tenant_id": "a/b"}])
def test_a_program_that_names_no_valid_tenant_gets_no_token(metadata: object) -> None:
    """A token without a tenant would be refused by every service."""
    with pytest.raises(RefusedTokenError, match="belongs to no tenant"):
        with_tenant(program(metadata, SCOPE))
