"""Credentials in URLs."""

import re
from collections.abc import Iterator
from typing import Final

from operators.pii.detector import Detector
from operators.pii.view import View

_SCHEME_BEFORE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,20}$")
_USER_INFO: Final = re.compile(r"://([^\s/:\"'<>\[\]]{0,256}:[^\s/\"'<>]{1,256})@(?=[\w\[.-])")
#: Names and passwords of documentation.
_EXAMPLE: Final = re.compile(r"[^:]*:(?:pass|password|passwd|pwd|\$.*|\{.*|[*x]+)", re.IGNORECASE)
_PARAMETER: Final = re.compile(
    r"[?&#](access_?token|auth_?token|id_?token|refresh_?token|token|api_?key|apikey|key|secret|client_secret|password|"
    r"passwd|pwd|sig|signature|auth|session_?id|sid|code|x-amz-signature|x-amz-security-token|x-amz-credential|"
    r"x-goog-signature)=([^&\s#\"'<>\[\];]{4,2048})"
)
#: Names that other parameters share, and values that grant nothing: words, numbers, issue keys and dates.
_COMMON: Final = frozenset({"key", "code", "sid", "auth", "sig"})
_PLAIN: Final = re.compile(r"[a-z-]{0,15}|[0-9]{0,6}|[a-z]+-[0-9]{1,7}|\d{4}-\d\d-\d\d")
_NOTHING: Final = frozenset({"null", "none", "true", "false", "undefined"})


def user_info(view: View) -> Iterator[tuple[int, int]]:
    """Name and password, or a password alone, before the host of a URL."""
    for match in _USER_INFO.finditer(view.text):
        scheme = _SCHEME_BEFORE.search(view.text[max(0, match.start() - 21) : match.start()])
        if scheme is not None and not _EXAMPLE.fullmatch(match.group(1)):
            yield match.span(1)


def parameters(view: View) -> Iterator[tuple[int, int]]:
    """Values of URL parameters that grant access."""
    for match in _PARAMETER.finditer(view.lower):
        name, value = match.groups()
        if value not in _NOTHING and not (name in _COMMON and _PLAIN.fullmatch(value)):
            yield match.span(2)


DETECTORS: Final = (
    Detector("CREDENTIALS", user_info, ("://",)),
    Detector("CREDENTIALS", parameters, ("=",)),
)
