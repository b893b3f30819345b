"""Entity tags and the conditions on them (RFC 9110, section 13). A ticket's tag is its version."""

import re
from typing import Final

from msgspec import Struct

from services.http.problems import FieldError, Problem

#: `*`, or a list of tags, which may be weak.
_LIST: Final = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e]*"\s*)*')
_TAG: Final = re.compile(r'(?P<weak>W/)?"(?P<tag>[^"]*)"')
_MAX_LENGTH: Final = 1_024


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


class Condition(Struct, frozen=True):
    """The tags of a header; None stands for `*`. Weak tags are in `weak` only."""

    strong: frozenset[str] | None
    weak: frozenset[str] = frozenset()

    def allows_change(self, version: int) -> bool:
        """Whether a change of this version satisfies If-Match (strong comparison)."""
        return self.strong is None or str(version) in self.strong

    def matches(self, version: int) -> bool:
        """Whether this version matches If-None-Match (weak comparison)."""
        return self.strong is None or str(version) in self.strong | self.weak


def parse_condition(text: str, header: str) -> Condition:
    """The tags of If-Match or If-None-Match.

    Raises:
        Problem: the header is malformed.
    """
    if text.strip() == "*":
        return Condition(None)
    if len(text) > _MAX_LENGTH or _LIST.fullmatch(text) is None:
        raise Problem(
            "bad-request",
            f"The header {header} is malformed.",
            errors=[FieldError(header, 'Write the ETag of the ticket, for example "3", or *.')],
        )
    found = [(match["weak"], match["tag"]) for match in _TAG.finditer(text)]
    return Condition(frozenset(tag for weak, tag in found if not weak), frozenset(tag for weak, tag in found if weak))


def required_condition(if_match: str | None) -> Condition:
    """The condition of a change, which must have one.

    Raises:
        Problem: If-Match is missing or malformed.
    """
    if if_match is None:
        raise Problem(
            "precondition-required",
            "A change needs the header If-Match with the ETag of the ticket as you read it, or * for any version.",
            errors=[FieldError("If-Match", "is missing")],
        )
    return parse_condition(if_match, "If-Match")
