"""Keys and tokens that are recognised by their form: vendors' prefixes, headers, web tokens and private keys."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from operators.pii.detector import Detector
from operators.pii.view import View

#: Key prefixes that vendors document for secret scanners.
_VENDORS: Final = re.compile(
    r"(?:"
    r"(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}"  # AWS access key ids
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}"  # GitHub
    r"|gl(?:pat|rt|ptt|dt|soat)-[A-Za-z0-9_-]{20,60}"  # GitLab
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,200}|xapp-[A-Za-z0-9-]{20,200}"  # Slack
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{10,200}|whsec_[A-Za-z0-9]{16,200}"  # Stripe
    r"|sk-[A-Za-z0-9_-]{20,200}"  # providers of language models
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,400}|GOCSPX-[A-Za-z0-9_-]{20,60}"  # Google
    r"|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}"  # SendGrid
    r"|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,64}|pypi-[A-Za-z0-9_-]{50,200}|do[opr]_v1_[a-f0-9]{64}"
    r"|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0(?:atp|csp)-[A-Za-z0-9_-]{22,43}|dapi[a-f0-9]{32}"
    r"|ATATT3[A-Za-z0-9_=-]{20,400}|AGE-SECRET-KEY-1[A-Z0-9]{58}"
    r")(?![A-Za-z0-9])"
)
#: A possible beginning of one of them, in lower case.
_FIRST: Final = re.compile(
    r"akia|asia|aroa|aida|gh[pousr]_|github_pat_|gl(?:pat|rt|ptt|dt|soat)-|xox[abeoprs]-|xapp-|[rs]k_(?:live|test)_|whsec_"
    r"|sk-|aiza|ya29\.|gocspx-|sg\.|npm_|hf_|pypi-|do[opr]_v1_|shp(?:at|ca|pa|ss)_|sq0(?:atp|csp)-|dapi|atatt3|age-secret-"
)
#: The shortest key is longer than most words.
_LONG: Final = re.compile(r"\s\S{18}")
_LONG_START: Final = re.compile(r"\S{18}")
_TELEGRAM: Final = re.compile(r"(?<![0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9])")
_SLACK_HOOK: Final = re.compile(r"hooks\.slack\.com/services/([A-Z0-9]{6,14}/[A-Z0-9]{6,14}/[A-Za-z0-9]{16,32})")
_JWT: Final = re.compile(r"eyJ[\w-]{8,8192}+\.[\w-]{8,8192}+\.[\w-]{4,8192}")
_WORD: Final = re.compile(r"[\w-]+")
_SCHEME: Final = re.compile(r"\b(bearer|basic|token|apikey|digest|negotiate)[ ]{1,3}([a-z0-9+/._~=-]{4,4096})")
_SHORTEST_TOKEN: Final = 16
#: Options of programs that take a password behind a letter.
_OPTION: Final = re.compile(
    r"\b(?:(?:mysql|mysqldump|mysqladmin|mariadb|sshpass)\b[^\n|;]{0,80}? -p[\"']?([^\s\"'$]{4,64})"
    r"|curl\b[^\n|;]{0,120}? (?:-u|--user) ?[\"']?([^\s:\"'$]{1,64}:[^\s\"'$]{4,64}))"
)
_BEGIN: Final = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_END: Final = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")


def vendor_keys(view: View) -> Iterator[tuple[int, int]]:
    """Keys with a known prefix."""
    text, done = view.text, 0
    if _LONG.search(text) is None and _LONG_START.match(text) is None:
        return
    for first in _FIRST.finditer(view.lower):
        match = _VENDORS.match(text, first.start()) if first.start() >= done else None
        if match is not None and not _continues_word(text, match.start()):
            done = match.end()
            yield match.span()


def _continues_word(text: str, start: int) -> bool:
    """The key begins within a longer word. A word of small letters before its capitals is a table's cell."""
    before = text[max(0, start - 2) : start]
    if not before or not before[-1].isascii() or not (before[-1].isalnum() or before[-1] in "_-"):
        return False
    return not (text[start].isupper() and before.isalpha() and before[-1].islower())


def other_tokens(view: View) -> Iterator[tuple[int, int]]:
    """Telegram's bot tokens and Slack's webhooks."""
    yield from (match.span() for match in _TELEGRAM.finditer(view.text))
    yield from (match.span(1) for match in _SLACK_HOOK.finditer(view.text))


def web_tokens(view: View) -> Iterator[tuple[int, int]]:
    """JSON web tokens (RFC 7519)."""
    text = view.text
    at = text.find("eyJ")
    while at >= 0:
        match, word = _JWT.match(text, at), _WORD.match(text, at)
        if match is not None and not _continues_word(text, at):
            yield match.span()
        # Without a match, those that begin in the same word have none either.
        at = text.find("eyJ", match.end() if match is not None else word.end() if word is not None else at + 1)


def authorizations(view: View) -> Iterator[tuple[int, int]]:
    """Values of an Authorization header, with or without its name. Basic ones decode to a name and a password."""
    for match in _SCHEME.finditer(view.lower):
        scheme = match.group(1)
        value = view.text[match.start(2) : match.end(2)].rstrip(".")
        named = "auth" in view.lower[max(0, match.start() - 24) : match.start()]
        if scheme == "basic":
            found = _is_basic(value)
        else:
            long = scheme == "bearer" and len(value) >= _SHORTEST_TOKEN
            found = (named or long) and any(character.isdigit() for character in value)
        if found:
            yield match.start(2), match.start(2) + len(value)


def _is_basic(value: str) -> bool:
    """Base64 of a name, a colon and a password (RFC 7617)."""
    padded = value.rstrip("=")
    try:
        decoded = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return ":" in decoded and decoded.isprintable()


def options(view: View) -> Iterator[tuple[int, int]]:
    """Passwords on command lines."""
    for match in _OPTION.finditer(view.text):
        yield match.span(match.lastindex or 0)


def private_keys(view: View) -> Iterator[tuple[int, int]]:
    """PEM and PGP private keys (RFC 7468); a key without an END line extends to the end of its text."""
    text = view.text
    begin = _BEGIN.search(text)
    while begin is not None:
        limit = view.part_end(begin.start())
        end = _END.search(text, begin.end(), limit)
        stop = limit if end is None else end.end()
        yield begin.start(), stop
        begin = _BEGIN.search(text, stop)


DETECTORS: Final = (
    Detector("SECRET", private_keys, ("-----begin",)),
    Detector("SECRET", web_tokens, ("eyj",)),
    Detector("SECRET", vendor_keys),
    Detector("SECRET", other_tokens, (":aa", "hooks.slack.com")),
    Detector("SECRET", options, ("mysql", "mariadb", "sshpass", "curl")),
    Detector("SECRET", authorizations, ("bearer ", "basic ", "authorization:")),
)
