"""Addresses in networks, and credentials in URLs."""

import ipaddress
import re
from typing import Final

from operators.pii.detector import Detector

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4: Final = re.compile(rf"(?<![\w.])(?:{_OCTET}\.){{3}}{_OCTET}(?!\.?\w)")
#: Versions look like addresses; the word before tells them apart.
_VERSION_BEFORE: Final = re.compile(
    r"(?:\bv|version|release|build|firmware|update|client|driver|section|chapter|clause|abschnitt|kapitel|§)"
    r"[ :=#]{0,2}(?:to )?$",
    re.IGNORECASE,
)
_CONTEXT: Final = 20
_IPV6: Final = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,8}:)[0-9A-Fa-f:]{2,39}(?:%\w{1,16})?(?![\w:])")
_USER_INFO: Final = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://([^\s/@:\[\]]{1,256}:[^\s/@\[\]]{1,256})@")
_PARAMETER: Final = re.compile(
    r"[?&#](?:access_?token|auth_?token|token|api_?key|apikey|key|secret|client_secret|password|passwd|pwd|sig|"
    r"signature|auth|session_?id|sid|x-amz-signature|x-amz-security-token)=([^&\s#\"'<>\[\]]{4,2048})",
    re.IGNORECASE,
)


def _is_address(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - _CONTEXT) : match.start()]
    return _VERSION_BEFORE.search(before) is None


def _is_ipv6(match: re.Match[str]) -> bool:
    try:
        ipaddress.IPv6Address(match.group().partition("%")[0])
    except ValueError:
        return False
    return match.group() != "::"


DETECTORS: Final = (
    Detector("CREDENTIALS", _USER_INFO, ("://",), group=1),
    Detector("CREDENTIALS", _PARAMETER, ("=",), group=1),
    Detector("IP", _IPV4, (".",), min_digits=4, check=_is_address),
    Detector("IP", _IPV6, ("::",), check=_is_ipv6),
    Detector("IP", _IPV6, (":",), min_digits=4, check=_is_ipv6),
)
