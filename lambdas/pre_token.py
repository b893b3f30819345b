"""Cognito's pre-token trigger (V2_0 or V3_0): adds tenant and roles to the tokens, where the services read them.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

import msgspec

from core.callers import ROLES
from core.contract import TenantId
from core.errors import TicketstreamError
from core.settings import Settings
from lambdas.function import Call, Event, Function, Handle
from runtime.telemetry import Telemetry

#: The user's attribute, which only administrators may write, and the claim of both tokens.
TENANT: Final = "custom:tenant_id"
#: The trigger of a program's own credentials (OAuth client credentials), in version V3_0.
PROGRAM: Final = "TokenGeneration_ClientCredentials"
#: The scope that gives a program the role `service`: only its own administrators let a client have it.
SCOPE: Final = "ticketstream/service"
#: The client metadata in which an application may pass the tenant that the user wants.
WANTED: Final = "tenant_id"


class RefusedTokenError(TicketstreamError):
    """Cognito issues no token, and shows the message to the user."""


def with_tenant(event: Event) -> Event:
    """The event with its response: tenant and roles of both tokens.

    Raises:
        RefusedTokenError: the user has no tenant or wants another one, or the trigger is of another version.
    """
    if not str(event.get("version", "")).startswith(("2", "3")):
        raise RefusedTokenError("the trigger must send events of version V2_0, which reach access tokens")
    request: Event = event["request"]
    if event.get("triggerSource") == PROGRAM:
        return event | {"response": {"claimsAndScopeOverrideDetails": _of_program(request)}}
    tenant = _tenant(request.get("userAttributes") or {})
    wanted = (request.get("clientMetadata") or {}).get(WANTED, tenant)
    if wanted != tenant:
        raise RefusedTokenError("you are not a user of this tenant")
    groups = (request.get("groupConfiguration") or {}).get("groupsToOverride") or ()
    claims = {"claimsToAddOrOverride": {TENANT: tenant}}
    details = {
        "idTokenGeneration": claims,
        "accessTokenGeneration": claims,
        # No group gives an AWS role.
        "groupOverrideDetails": {
            "groupsToOverride": [role for role in ROLES if role in groups],
            "iamRolesToOverride": [],
        },
    }
    return event | {"response": {"claimsAndScopeOverrideDetails": details}}


def _of_program(request: Event) -> Event:
    """The claim of a program with credentials of its own, which acts for the tenant that it names.

    Raises:
        RefusedTokenError: it may not use the scope of programs, or names no tenant.
    """
    if SCOPE not in (request.get("scopes") or ()):
        raise RefusedTokenError(f"the client needs the scope {SCOPE}")
    tenant = _tenant({TENANT: (request.get("clientMetadata") or {}).get(WANTED, "")})
    return {"accessTokenGeneration": {"claimsToAddOrOverride": {TENANT: tenant}}}


def _tenant(attributes: Mapping[str, str]) -> str:
    try:
        return msgspec.convert(attributes.get(TENANT), TenantId)
    except msgspec.ValidationError:
        raise RefusedTokenError("your account belongs to no tenant; ask an administrator") from None


def open_pre_token(_settings: Settings, _stack: ExitStack, _telemetry: Telemetry) -> Handle:
    """The handler, which needs nothing open."""

    def handle(event: Event, _call: Call) -> Event:
        return with_tenant(event)

    return handle


handler: Final = Function("pre_token", open_pre_token)
