"""Addresses in settings, which show no credentials however they are printed."""

import re
from typing import Final

_HIDDEN: Final = "<hidden>"
#: From the scheme to the last @: a user name and password, whatever characters they have.
_USER: Final = re.compile(r"^(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)?.*@", re.DOTALL)
_QUERY: Final = re.compile(r"\?.*", re.DOTALL)


def hide_credentials(address: str) -> str:
    """`address` with `<hidden>` in place of a user name, password and query."""
    plain = str.__str__(address)
    return _QUERY.sub(f"?{_HIDDEN}", _USER.sub(rf"\g<scheme>{_HIDDEN}@", plain))


class Address(str):
    """A URL or list of hosts. Its value is whole; `str`, `repr` and an f-string hide its credentials."""

    __slots__ = ()

    def __str__(self) -> str:
        return hide_credentials(self)

    def __repr__(self) -> str:
        return repr(hide_credentials(self))

    def __format__(self, spec: str) -> str:
        return format(hide_credentials(self), spec)
