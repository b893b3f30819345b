"""Keys, tokens and passwords."""

import re
from typing import Final

from operators.pii.detector import Detector

#: Prefixes that vendors document for their keys, so that scanners find them.
_VENDORS: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}"  # AWS access key ids
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}"  # GitHub
    r"|glpat-[A-Za-z0-9_-]{20,60}"  # GitLab
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,200}"  # Slack
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{10,200}|whsec_[A-Za-z0-9]{16,200}"  # Stripe
    r"|sk-[A-Za-z0-9_-]{20,200}"  # OpenAI, Anthropic
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}"  # SendGrid
    r"|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,64}|pypi-[A-Za-z0-9_-]{50,200}|dop_v1_[a-f0-9]{64}"
    r")(?![A-Za-z0-9])"
)
_JWT: Final = re.compile(r"(?<![\w-])eyJ[\w-]{8,8192}\.[\w-]{8,8192}\.[\w-]{4,8192}")
_SCHEME: Final = re.compile(r"\b(?:bearer|basic)[ ]{1,3}([A-Za-z0-9+/._~-]{16,4096}={0,2})", re.IGNORECASE)
_ASSIGNED: Final = re.compile(
    r"\b(?:pass(?:word|wd|phrase|wort)|pwd|kennwort|mot de passe|contraseña|wachtwoord|secret|api[ _-]?key|"
    r"access[ _-]?key|private[ _-]?key|(?:auth|access|refresh|api|session)?[ _-]?token|client[ _-]?secret)\b"
    r"[\"']?[ ]{0,3}(?:[:=]|\bis\b|\bist\b|\blautet\b|\best\b|\bes\b|\bè\b)[ ]{0,3}[\"']?([^\s\"',;\[\]]{4,256})",
    re.IGNORECASE,
)


def _looks_chosen(match: re.Match[str]) -> bool:
    """A password or key has a digit or a symbol in it; "the password is wrong" has not."""
    value = match.group(1).rstrip(".!?)")
    return any(character.isdigit() for character in value) or not value.replace("-", "").isalnum()


DETECTORS: Final = (
    Detector("SECRET", _JWT, ("eyj",)),
    Detector("SECRET", _VENDORS, ("akia", "asia", "aroa", "aida", "_", "sk-", "glpat-", "xox", "aiza", "sg.", "pypi-")),
    Detector("SECRET", _SCHEME, ("bearer", "basic"), group=1),
    Detector(
        "SECRET",
        _ASSIGNED,
        ("pass", "pwd", "kennwort", "contraseña", "wachtwoord", "secret", "key", "token"),
        group=1,
        check=_looks_chosen,
    ),
)

_BEGIN: Final = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_END: Final = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")


def private_keys(text: str) -> list[tuple[int, int]]:
    """PEM and PGP private keys (RFC 7468); one that is cut short reaches to the end of the text."""
    found = []
    begin = _BEGIN.search(text)
    while begin is not None:
        end = _END.search(text, begin.end())
        stop = len(text) if end is None else end.end()
        found.append((begin.start(), stop))
        begin = _BEGIN.search(text, stop)
    return found
