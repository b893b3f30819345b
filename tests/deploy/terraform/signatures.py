"""The patterns of AWS's managed rule groups, SqliMatch and XssMatch, as far as AWS publishes them.

Names and parts of the managed rules are those of the WAF guide (November 2026). The expressions find what
libinjection 3 finds in the requests of the tests, and nothing that it doesn't.
"""

import html
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from tests.deploy.terraform.firewall import Request

_SQL: Final = re.compile(
    r"""['"]\s*(?:or|and|union|order\s+by|;|--|\#)
    | \b(?:or|and)\s*\(?\s*(['"]?)\w+\1\s*=\s*['"(\w]
    | \bunion(?:\s|/\*.*?\*/)+(?:all(?:\s|/\*.*?\*/)+)?select\b
    | ;\s*(?:drop|exec|waitfor|insert|delete|update)\b
    | \(\s*select\s""",
    re.IGNORECASE | re.VERBOSE,
)
_SCRIPT: Final = re.compile(
    r"<\s*/?(?:script|iframe|svg|object|embed|style|body)\b|<\w+[^>]*javascript:|[\s\"'/]on[a-z]{3,}\s*=",
    re.IGNORECASE,
)
_LOCAL_FILE: Final = re.compile(r"\.\./|/etc/(?:passwd|shadow)")
_REMOTE_FILE: Final = re.compile(r"://\d{1,3}(?:\.\d{1,3}){3}")
_METADATA: Final = re.compile(r"169\.254\.169\.254")
_LOG4J: Final = re.compile(r"\$\{jndi:", re.IGNORECASE)
_JAVA: Final = re.compile(r"\(java\.lang\.Runtime\)|\.getRuntime\(\)")
_REACT: Final = re.compile(r"\$F1|constructor:constructor")
_EXTENSIONS: Final = re.compile(r"\.(?:log|ini|bak|conf|sql|key)$", re.IGNORECASE)
_EXPLOITABLE: Final = re.compile(r"/(?:\.git|\.env|web-inf)(?:/|$)", re.IGNORECASE)
_BOTS: Final = re.compile(r"nessus|nmap|sqlmap", re.IGNORECASE)

#: Whether a rule of a managed group matches a request, given the number of bytes of the body that it sees.
_Found = Callable[["Request", int], bool]
_Part = Callable[["Request", int], str]


def looks_like_sql(text: str) -> bool:
    """SqliMatch with the sensitivity LOW."""
    return _SQL.search(text) is not None


def looks_like_script(text: str) -> bool:
    """XssMatch."""
    return _SCRIPT.search(text) is not None


def _decoded(text: str) -> str:
    return html.unescape(unquote_plus(text))


_PATH: Final[_Part] = lambda request, _: _decoded(request.path)  # noqa: E731 - parts are values
_QUERY: Final[_Part] = lambda request, _: _decoded(request.query)  # noqa: E731
_COOKIE: Final[_Part] = lambda request, _: _decoded(request.headers.get("cookie", ""))  # noqa: E731
_HEADERS: Final[_Part] = lambda request, _: "\n".join(request.headers.values())  # noqa: E731
_BODY: Final[_Part] = lambda request, seen: request.body[:seen].decode(errors="replace")  # noqa: E731


def _in(part: _Part, found: re.Pattern[str]) -> _Found:
    return lambda request, seen: found.search(part(request, seen)) is not None


_CORE: Final[dict[str, _Found]] = {
    "NoUserAgent_HEADER": lambda request, _: "user-agent" not in request.headers,
    "UserAgent_BadBots_HEADER": lambda request, _: _BOTS.search(request.headers.get("user-agent", "")) is not None,
    "SizeRestrictions_QUERYSTRING": lambda request, _: len(request.query) > 2048,
    "SizeRestrictions_Cookie_HEADER": lambda request, _: len(request.headers.get("cookie", "")) > 10_240,
    "SizeRestrictions_BODY": lambda request, _: len(request.body) > 8192,
    "SizeRestrictions_URIPATH": lambda request, _: len(request.path) > 1024,
    "EC2MetaDataSSRF_BODY": _in(_BODY, _METADATA),
    "EC2MetaDataSSRF_COOKIE": _in(_COOKIE, _METADATA),
    "EC2MetaDataSSRF_URIPATH": _in(_PATH, _METADATA),
    "EC2MetaDataSSRF_QUERYARGUMENTS": _in(_QUERY, _METADATA),
    "GenericLFI_QUERYARGUMENTS": _in(_QUERY, _LOCAL_FILE),
    "GenericLFI_URIPATH": _in(_PATH, _LOCAL_FILE),
    "GenericLFI_BODY": _in(_BODY, _LOCAL_FILE),
    "RestrictedExtensions_URIPATH": _in(_PATH, _EXTENSIONS),
    "RestrictedExtensions_QUERYARGUMENTS": _in(_QUERY, _EXTENSIONS),
    "GenericRFI_QUERYARGUMENTS": _in(_QUERY, _REMOTE_FILE),
    "GenericRFI_BODY": _in(_BODY, _REMOTE_FILE),
    "GenericRFI_URIPATH": _in(_PATH, _REMOTE_FILE),
    "CrossSiteScripting_COOKIE": _in(_COOKIE, _SCRIPT),
    "CrossSiteScripting_QUERYARGUMENTS": _in(_QUERY, _SCRIPT),
    "CrossSiteScripting_BODY": _in(_BODY, _SCRIPT),
    "CrossSiteScripting_URIPATH": _in(_PATH, _SCRIPT),
}
_SQL_DATABASE: Final[dict[str, _Found]] = {
    "SQLi_QUERYARGUMENTS": _in(_QUERY, _SQL),
    "SQLiExtendedPatterns_QUERYARGUMENTS": _in(_QUERY, _SQL),
    "SQLi_BODY": _in(_BODY, _SQL),
    "SQLiExtendedPatterns_BODY": _in(_BODY, _SQL),
    "SQLi_COOKIE": _in(_COOKIE, _SQL),
}
_BAD_INPUTS: Final[dict[str, _Found]] = {
    "JavaDeserializationRCE_HEADER": _in(_HEADERS, _JAVA),
    "JavaDeserializationRCE_BODY": _in(_BODY, _JAVA),
    "JavaDeserializationRCE_URIPATH": _in(_PATH, _JAVA),
    "JavaDeserializationRCE_QUERYSTRING": _in(_QUERY, _JAVA),
    "Host_localhost_HEADER": lambda request, _: request.headers.get("host", "").startswith("localhost"),
    "PROPFIND_METHOD": lambda request, _: request.method == "PROPFIND",
    "ExploitablePaths_URIPATH": _in(_PATH, _EXPLOITABLE),
    "Log4JRCE_HEADER": _in(_HEADERS, _LOG4J),
    "Log4JRCE_QUERYSTRING": _in(_QUERY, _LOG4J),
    "Log4JRCE_BODY": _in(_BODY, _LOG4J),
    "Log4JRCE_URIPATH": _in(_PATH, _LOG4J),
    "ReactJSRCE_BODY": _in(_BODY, _REACT),
}
GROUPS: Final[Mapping[str, Mapping[str, _Found]]] = {
    "AWSManagedRulesCommonRuleSet": _CORE,
    "AWSManagedRulesSQLiRuleSet": _SQL_DATABASE,
    "AWSManagedRulesKnownBadInputsRuleSet": _BAD_INPUTS,
}
