"""Personal data that is disguised to evade filters."""

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from synthetic.pii.labelled import Form, Labelled, formed
from synthetic.pii.numbers import any_telephone, international
from synthetic.pii.values import any_ipv4, email, grouped_card, iban, password, plain_mail, ssn, wide

Maker = Callable[[Random], str]
Disguise = Callable[[Random, str], str]


def disguised(count: int, *, seed: int = 7) -> Iterator[Labelled]:
    """Each form in turn."""
    yield from formed(_FORMS, count, seed, "deliberate")


def _each(join: str) -> Disguise:
    """`join` after every digit but the last."""
    return lambda _rng, value: re.sub(r"(?<=\d)(?=.*\d)", join, value, flags=re.DOTALL)


def _mapped(zero: int) -> Disguise:
    return lambda _rng, value: re.sub("[0-9]", lambda m: chr(zero + int(m.group())), value)


def _superscript(_rng: Random, value: str) -> str:
    return re.sub("[0-9]", lambda m: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(m.group())], value)


def _circled(_rng: Random, value: str) -> str:
    return re.sub("[0-9]", lambda m: "⓪①②③④⑤⑥⑦⑧⑨"[int(m.group())], value)


def _some(rng: Random, value: str) -> str:
    """An invisible character at two places."""
    for _ in range(2):
        at = rng.randrange(1, len(value))
        value = value[:at] + rng.choice(_UNSEEN) + value[at:]
    return value


_UNSEEN: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u034f\ufe0f\U000e0020\U000e0101\u2063\u200e\u061c"
#: Disguises of digits only.
_DIGIT_DISGUISES: Final[tuple[tuple[str, Disguise], ...]] = (
    ("invisible characters", _some),
    ("zero-width between digits", _each("\u200b")),
    ("variation selectors", _each("\ufe0f")),
    ("keycaps", lambda _r, v: re.sub(r"(\d)", "\\1\ufe0f\u20e3", v)),
    ("combining marks", _each("\u0332")),
    ("full-width", lambda _r, v: wide(v)),
    ("superscript", _superscript),
    ("circled", _circled),
    ("mathematical", _mapped(0x1D7CE)),
    ("Arabic-Indic", _mapped(0x0660)),
    ("Devanagari", _mapped(0x0966)),
    ("Thai", _mapped(0x0E50)),
    ("decimal entities", lambda _r, v: re.sub(r"\d", lambda m: f"&#{ord(m.group())};", v)),
    ("hexadecimal entities", lambda _r, v: re.sub(r"\d", lambda m: f"&#x{ord(m.group()):x};", v)),
    ("double entities", lambda _r, v: v.replace(" ", "&amp;nbsp;")),
    ("JSON unicode escapes", lambda _r, v: re.sub(r"\d", lambda m: f"\\u00{ord(m.group()):x}", v)),
)
_CARD_DISGUISES: Final[tuple[tuple[str, Disguise], ...]] = (
    *_DIGIT_DISGUISES,
    ("spaced digits", lambda _r, v: " ".join(v.replace(" ", ""))),
    ("hyphened digits", lambda _r, v: "-".join(v.replace(" ", ""))),
    ("pairs", lambda _r, v: " ".join(re.findall("..", v.replace(" ", "")))),
    ("middle dots", lambda r, v: v.replace(" ", r.choice("·•∙・"))),
    ("slashes", lambda _r, v: v.replace(" ", "/")),
    ("underscores", lambda _r, v: v.replace(" ", "_")),
    ("stars", lambda _r, v: v.replace(" ", "*")),
    ("odd groups", lambda _r, v: re.sub(r"(\d{5})(\d{3})(\d{6})(\d\d)", r"\1 \2 \3 \4", v.replace(" ", ""))),
    ("a line each", lambda _r, v: v.replace(" ", "\n")),
    ("parentheses", lambda _r, v: "({}) ({}) ({}) ({})".format(*v.split(" "))),
)
_MAIL_DISGUISES: Final[tuple[tuple[str, Disguise], ...]] = (
    ("at", lambda _r, _v: "jane.doe at example.com"),
    ("(at)", lambda r, v: v.replace("@", r.choice((" (at) ", "(at)", "[at]", " [at] ", "{at}", " <at> ")))),
    ("at, dot", lambda _r, v: v.replace("@", " at ").replace(".", " dot ")),
    ("AT, DOT", lambda _r, v: v.replace("@", " AT ").replace(".", " DOT ")),
    ("(at), (dot)", lambda _r, v: v.replace("@", " (at) ").replace(".", " (dot) ")),
    ("[at], [dot]", lambda _r, v: v.replace("@", "[at]").replace(".", "[dot]")),
    ("spaces", lambda r, v: v.replace("@", r.choice((" @ ", " @", "@ ")))),
    ("full-width sign", lambda _r, v: v.replace("@", "＠")),
    ("full-width", lambda _r, v: wide(v)),
    ("ideographic stop", lambda _r, v: v.replace(".", "。")),
    ("invisible characters", _some),
    (
        "entities",
        lambda r, v: v.replace("@", r.choice(("&#64;", "&#x40;", "&commat;", "&amp;#64;"))).replace(".", "&period;"),
    ),
    ("other letters", lambda _r, v: v.replace("a", "а").replace("o", "о")),
    ("arroba", lambda _r, _v: "jane.doe arroba example.com"),
)


def _disguised(kind: str, maker: Maker, frame: str, disguises: tuple[tuple[str, Disguise], ...]) -> tuple[Form, ...]:
    def form(disguise: Disguise) -> Callable[[Random], str]:
        return lambda rng: frame.replace("@@", f"«{disguise(rng, maker(rng))}»")

    return tuple((kind, name, form(disguise)) for name, disguise in disguises)


_FORMS: Final[tuple[Form, ...]] = (
    *_disguised("CARD", grouped_card, "my card @@ ok", _CARD_DISGUISES),
    *_disguised("CARD", grouped_card, "take this: @@", _DIGIT_DISGUISES),
    *_disguised("PHONE", international, "call @@ now", _DIGIT_DISGUISES),
    *_disguised("PHONE", any_telephone, "my phone number is @@", _DIGIT_DISGUISES),
    *_disguised("IBAN", iban, "pay to @@ please", _DIGIT_DISGUISES),
    *_disguised("NATIONAL_ID", ssn, "my SSN is @@ ok", _DIGIT_DISGUISES),
    *_disguised("IP", any_ipv4, "my IP address @@ ok", _DIGIT_DISGUISES[:13]),
    *_disguised("EMAIL", plain_mail, "write to @@ please", _MAIL_DISGUISES),
    ("EMAIL", "at, label", lambda r: f"my email is «jane at {r.choice(('example.com', 'mail.example.org'))}»"),
    ("EMAIL", "old forms", lambda r: f"Kontakt: «{email(r)}» danke"),
    ("SECRET", "invisible characters", lambda r: f"password: «{_some(r, password(r))}»"),
    ("SECRET", "full-width", lambda r: f"password：«{wide(password(r))}»"),
    ("SECRET", "entities", lambda r: f"password&#58; «{password(r)}»"),
)
