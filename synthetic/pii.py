"""Sentences with personal data planted in known places, and sentences with what only looks like it.

Checksums are computed here and not by a library, so that a detector is not measured against itself. Everything is
invented: documentation ranges where there are any, random numbers with a right checksum elsewhere.
"""

import string
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from msgspec import Struct


class Labelled(Struct, frozen=True):
    """A text and the spans [start, end) planted in it, with their kinds."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def labelled_texts(count: int, *, seed: int = 7) -> Iterator[Labelled]:
    """`count` texts: each kind in turn, at times two in a text, one in four with none but a lookalike."""
    rng = Random(seed)  # noqa: S311 - made-up data
    kinds = list(_MAKERS)
    for number in range(count):
        if number % 4 == 3:
            yield Labelled(_fill(rng, rng.choice(_PLAIN), rng.choice(_LOOKALIKES)(rng))[0], ())
            continue
        wanted = [kinds[(number - number // 4) % len(kinds)]]
        if rng.random() < 0.2:
            wanted.append(rng.choice(kinds))
        text, spans = "", []
        for kind in wanted:
            maker, frames = _MAKERS[kind]
            sentence, start, end = _fill(rng, rng.choice(frames), maker(rng))
            spans.append((len(text) + start, len(text) + end, kind))
            text += sentence + rng.choice((" ", "\n", " Thanks. "))
        yield Labelled(text, tuple(spans))


def _fill(rng: Random, frame: str, value: str) -> tuple[str, int, int]:
    """The frame with its `@@` replaced, and where the value lies."""
    opening = rng.choice(("", "", "Hello, ", "FYI: ", "Bonjour, ", "Guten Tag. "))
    at = frame.index("@@") + len(opening)
    return opening + frame.replace("@@", value), at, at + len(value)


def _digits(rng: Random, count: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(count))


def _token(rng: Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return rng.choice(string.digits) + "".join(rng.choice(alphabet) for _ in range(count - 1))


def _email(rng: Random) -> str:
    name = rng.choice(("ada.okafor", "bruno_m", "c.moreau+work", "d-petrov", "elif.haddad99", "f", "info", "o'neill"))
    host = rng.choice(("example.com", "mail.example.org", "example.co.uk", "sub.dept.example.net", "exämple.com"))
    return rng.choice((f"{name}@{host}", f"{name}@{host}".upper(), f"{name} (at) {host}", f"{name}[at]{host}"))


def _phone(rng: Random) -> str:
    return rng.choice(
        (
            f"+1 202-555-01{_digits(rng, 2)}",
            f"(202) 555-01{_digits(rng, 2)}",
            f"202-555-01{_digits(rng, 2)}",
            f"+44 20 7946 0{_digits(rng, 3)}",
            f"+49 30 {rng.randrange(2, 9)}{_digits(rng, 6)}",
            f"0049 89 {rng.randrange(2, 9)}{_digits(rng, 7)}",
            f"+33 1 {rng.randrange(40, 60)} {_digits(rng, 2)} {_digits(rng, 2)} {_digits(rng, 2)}",
            f"030 {rng.randrange(2, 9)}{_digits(rng, 6)}",
            f"06 {_digits(rng, 2)} {_digits(rng, 2)} {_digits(rng, 2)} {_digits(rng, 2)}",
            f"+39 06 698{_digits(rng, 5)}",
            f"+34 91{rng.randrange(1, 9)} {_digits(rng, 3)} {_digits(rng, 3)}",
        )
    )


def _luhn(body: str) -> str:
    """`body` with its check digit (ISO/IEC 7812-1, annex B)."""
    total = sum(int(d) if n % 2 else sum(divmod(2 * int(d), 10)) for n, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def _card(rng: Random) -> str:
    number = rng.choice(
        (
            _luhn("4" + _digits(rng, 14)),
            _luhn("5" + rng.choice("12345") + _digits(rng, 13)),
            _luhn("3" + rng.choice("47") + _digits(rng, 12)),
            _luhn("6011" + _digits(rng, 11)),
        )
    )
    if rng.random() < 0.4:
        return number
    gap, sizes = rng.choice((" ", "-")), (4, 6, 5) if number[0] == "3" else (4, 4, 4, 4)
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return gap.join(parts)


def _iban(rng: Random) -> str:
    country, body = rng.choice(
        (
            ("DE", _digits(rng, 18)),
            ("FR", _digits(rng, 23)),
            ("NL", "ABNA" + _digits(rng, 10)),
            ("GB", "NWBK" + _digits(rng, 14)),
            ("ES", _digits(rng, 20)),
            ("AT", _digits(rng, 16)),
        )
    )
    moved = "".join(str(int(c, 36)) for c in f"{body}{country}00")
    number = f"{country}{98 - int(moved) % 97:02}{body}"  # ISO 13616-1
    if rng.random() < 0.5:
        return number
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def _national_id(rng: Random) -> str:
    return rng.choice((_ssn, _nino, _dni, _personnummer, _cpf))(rng)


def _ssn(rng: Random) -> str:
    return f"{rng.randrange(100, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}"


def _nino(rng: Random) -> str:
    letters = f"{rng.choice('ABCEHJ')}{rng.choice('ABCEHJ')}"
    number = " ".join((letters, _digits(rng, 2), _digits(rng, 2), _digits(rng, 2), rng.choice("ABCD")))
    return number if rng.random() < 0.5 else number.replace(" ", "")


def _dni(rng: Random) -> str:
    number = rng.randrange(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _personnummer(rng: Random) -> str:
    birth = f"{rng.randrange(50, 99)}{rng.randrange(1, 12):02}{rng.randrange(1, 28):02}"
    return f"{birth}-{_luhn(birth + _digits(rng, 3))[-4:]}"


def _cpf(rng: Random) -> str:
    body = _digits(rng, 8) + rng.choice("123456789")
    for _ in range(2):
        rest = sum(int(d) * w for d, w in zip(reversed(body), range(2, 12), strict=False)) * 10 % 11
        body += str(rest % 10)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def _ip(rng: Random) -> str:
    return rng.choice(
        (
            f"192.0.2.{rng.randrange(256)}",
            f"198.51.100.{rng.randrange(256)}",
            f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
            f"2001:db8::{rng.randrange(1, 65535):x}",
            f"2001:db8:{rng.randrange(1, 65535):x}:0:0:8a2e:370:{rng.randrange(1, 65535):x}",
            "fe80::1ff:fe23:4567:890a",
        )
    )


def _url_secret(rng: Random) -> str:
    return f"{rng.choice(('svc', 'admin', 'ada'))}:{_token(rng, rng.randrange(8, 20))}"


def _secret(rng: Random) -> str:
    base64 = string.ascii_letters + string.digits + "-_"
    return rng.choice(
        (
            "AKIA" + _token(rng, 16, string.ascii_uppercase + string.digits),
            "ghp_" + _token(rng, 36),
            "xoxb-" + _digits(rng, 11) + "-" + _token(rng, 24),
            "sk_live_" + _token(rng, 24),
            "sk-" + _token(rng, 48),
            "glpat-" + _token(rng, 20),
            "AIza" + _token(rng, 35, base64),
            f"eyJ{_token(rng, 20, base64)}.eyJ{_token(rng, 40, base64)}.{_token(rng, 43, base64)}",
        )
    )


_CONTACT: Final = ("You can reach me at @@.", "Kontakt: @@", "please answer to @@, thanks", "(@@)", "écrivez à @@")
_MAKERS: Final[dict[str, tuple[Callable[[Random], str], tuple[str, ...]]]] = {
    "EMAIL": (_email, (*_CONTACT, "@@ is my address", "mailto <@@>")),
    "PHONE": (_phone, ("Call me on @@.", "Telefon: @@", "my number is @@, after five", "(@@)", "tél. @@", "@@")),
    "CARD": (_card, ("My card @@ was declined.", "Karte @@", "charged to @@ twice", "(@@)", "card:@@")),
    "IBAN": (_iban, ("Please transfer it to @@.", "IBAN @@", "from account @@ on Monday", "(@@)")),
    "NATIONAL_ID": (_national_id, ("My id is @@.", "SSN: @@", "number @@ on the form", "(@@)")),
    "IP": (_ip, ("The login came from @@.", "host @@ refused", "ping @@, no answer", "(@@)", "from @@ to us")),
    "CREDENTIALS": (_url_secret, ("It is https://@@@db.example.com/x.", "see ftp://@@@files.example.org")),
    "SECRET": (_secret, ("The key is @@.", "Authorization: @@", "using @@ since Monday", "(@@)", 'key="@@"')),
}
_PLAIN: Final = ("Order @@ has not arrived.", "See @@ for details.", "It says @@ on the label.", "Ref. @@", "since @@")
_LOOKALIKES: Final[tuple[Callable[[Random], str], ...]] = (
    lambda rng: f"A-{_digits(rng, 5)}",
    lambda rng: _digits(rng, 8),
    lambda rng: f"{rng.randrange(1, 12)}.{rng.randrange(0, 20)}.{rng.randrange(0, 9)}",
    lambda rng: f"version {rng.randrange(1, 12)}.{rng.randrange(20)}.{rng.randrange(9)}.{rng.randrange(9)}",
    lambda rng: f"{rng.randrange(5, 900)}.{_digits(rng, 2)} EUR",
    lambda rng: f"2026-0{rng.randrange(1, 9)}-1{rng.randrange(9)} 12:{_digits(rng, 2)[0]}0:17",
    lambda rng: f"2026-01-0{rng.randrange(1, 9)}T08:00:00Z",
    lambda rng: "550e8400-e29b-41d4-a716-" + _token(rng, 12, "0123456789abcdef"),
    lambda rng: f"1Z{_token(rng, 16, string.ascii_uppercase + string.digits)}",
    lambda rng: f"{rng.randrange(10, 99)} of {rng.randrange(100, 999)}",
    lambda rng: f"{rng.randrange(1, 12)}/{rng.randrange(1, 28)}/2026",
    lambda rng: f"{rng.randrange(100, 999)},{_digits(rng, 3)},{_digits(rng, 3)} rows",
    lambda rng: "0x" + _token(rng, 8, "0123456789ABCDEF"),
    lambda _rng: "12:30:45",
    lambda _rng: "@support",
    lambda _rng: "the password is wrong",
    lambda _rng: "token expired",
    lambda rng: f"ISO {rng.randrange(1000, 9999)}:2022",
    lambda rng: f"978-3-16-14{_digits(rng, 4)}-0",
)
