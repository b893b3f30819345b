"""E-mail addresses whose signs are spelt out or set apart: "jane (at) example (dot) com", "jane @ example.com"."""

import re
from collections.abc import Iterator
from typing import Final

from operators.pii.detector import Detector, words
from operators.pii.mail import FILES, LABEL, LETTER, RELEASE
from operators.pii.view import View

_AT: Final = re.compile(
    r"[ ]?[\[({<][ ]?(?:at|a|ät|@|arroba|chiocciola|arobase|собака|małpa)[ ]?[\])}>][ ]?"
    r"|[ ]{1,3}@[ ]{0,3}|@[ ]{1,3}|[_-]at[_-]"
    r"|[ ]{1,3}(?:at|arroba|chiocciola|arobase|собака|małpa)[ ]{1,3}",
    re.IGNORECASE,
)
_AT_WORD: Final = re.compile(r" at ")
_DOTS: Final = "dot|punkt|punto|ponto|point|точка|kropka"
_DOT: Final = (
    rf"(?:\.|[ ]?[\[({{<][ ]?(?:{_DOTS}|\.)[ ]?[\])}}>][ ]?|[ ]{{1,3}}(?:{_DOTS})[ ]{{1,3}}|[_-]dot[_-]|[ ]\.[ ]?)"
)
_DOMAIN: Final = re.compile(rf"(?:{LABEL}{_DOT}){{1,8}}{LETTER}{{2,24}}(?![A-Za-z0-9])", re.IGNORECASE)
#: Read backwards from the sign.
_LOCAL: Final = re.compile(
    rf"{LETTER}{{1,40}}(?:(?:[._%'+-]|[ ]{{1,3}}tod[ ]{{1,3}}|[ ]?[\])}}][ ]?tod[ ]?[\[({{][ ]?)"
    rf"{LETTER}{{1,40}}){{0,4}}",
    re.IGNORECASE,
)
_WIDEST_LOCAL: Final = 100
#: At signs that are spelt out, other than by the word alone.
_SPELT: Final = (
    "at)",
    "at]",
    "at}",
    "at>",
    "at )",
    "at ]",
    "_at_",
    "-at-",
    "(a)",
    " @",
    "@ ",
    "[@",
    "(@",
    "arroba",
    "arobase",
)
_SPELT_ABROAD: Final = ("ät)", "ät]", "собака", "małpa")
_RARE: Final = ("chiocciola",)
#: Words that announce an address.
_ANNOUNCED: Final = re.compile(
    r"(?:e-?mails?|mails?|correo|courriel|posta|почта|почту|adresse?|address|contact|write)"
    r"(?: (?:address|adresse|is|to|me|ist|est|es|è))*[ :]{1,3}$"
)
_ANNOUNCED_REACH: Final = 40
#: Words before "at example.com" in prose.
_NO_NAMES: Final = words("""
    a about access account accounts active address addresses all also and answer anyone app arrived as ask
    available be been being blocked bounced button call came can check company contact customer data domain
    down download email emails error everyone failed find form found from fails go he help her here him hosted
    i info is issue it link live located log login look looking mail mails me meet meeting message messages
    more new not offered on one or order orders out page pages people posted price problem profile public
    published read register released review reviews running see seen sent server service she shop sign site
    sold somebody someone start started stay stayed store support team test tested that the them there they
    this time today tomorrow up us user users visible visit was we website were what where which who with
    working works write wrote you your directly online now still either early meetup
""")
#: The word alone counts as an at sign only before domains that end like this, as no class or package does.
_KNOWN_TOPS: Final = words("""
    com org net edu gov io de fr uk es it nl pl ru eu info biz co me us ca au ch at be se no dk fi jp cn br in app dev
""")


def spelt_addresses(view: View) -> Iterator[tuple[int, int]]:
    """Addresses, left to right."""
    text, lower, done = view.text, view.lower, 0
    signs = _AT if any(word in lower for word in (*_SPELT, *_SPELT_ABROAD, *_RARE)) else _AT_WORD
    for sign in signs.finditer(text if signs is _AT else lower):
        domain = _DOMAIN.match(text, sign.end())
        local = (
            None if domain is None else _LOCAL.match(text[max(done, sign.start() - _WIDEST_LOCAL) : sign.start()][::-1])
        )
        if domain is None or local is None:
            continue
        start = sign.start() - local.end()
        if _is_meant(view, start, sign, domain):
            done = domain.end()
            yield start, done


def _is_meant(view: View, start: int, sign: re.Match[str], domain: re.Match[str]) -> bool:
    """Brackets or a spelt dot say that it is an address; else the name or the word before it has to."""
    local, host = view.lower[start : sign.start()], view.lower[domain.start() : domain.end()]
    top = host.rpartition(".")[2]
    if top in FILES or RELEASE.match(host):
        return False
    if any(bracket in sign.group() for bracket in "[({<") or "dot" in re.split(r"[^a-z]+", host):
        return True
    if top not in _KNOWN_TOPS or domain.group() != host or not any(c.isalpha() for c in local):
        return False
    return "@" in sign.group() or _is_name(view.lower, start, local)


def _is_name(lower: str, start: int, local: str) -> bool:
    """A name with a dot or a digit, as in addresses, or one that a word announces."""
    if local in _NO_NAMES:
        return False
    inside = local.strip(".")
    if (
        any(c in "._+" or c.isdigit() for c in inside)
        and not local.endswith(".")
        and inside.rpartition(".")[2] not in FILES
    ):
        return True
    return _ANNOUNCED.search(lower[max(0, start - _ANNOUNCED_REACH) : start]) is not None


DETECTORS: Final = (Detector("EMAIL", spelt_addresses, (" at ", *_SPELT, *_RARE), also=_SPELT_ABROAD),)
