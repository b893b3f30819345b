"""Roles of the callers of the HTTP services, as access tokens name them."""

from typing import Final, Literal, get_args

#: An agent answers customers, an operator runs the system, a service is another program.
Role = Literal["agent", "operator", "service"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
