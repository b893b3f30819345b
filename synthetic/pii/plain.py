"""Generates sentences with personal data at known positions, and sentences with lookalikes."""

import string
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from synthetic.pii.labelled import Labelled
from synthetic.pii.values import card, digits, email, iban, ip, national_id, phone, secret, token, url_secret


def labelled_texts(count: int, *, seed: int = 7) -> Iterator[Labelled]:
    """`count` texts. Kinds rotate; some texts contain two, and every fourth contains only a lookalike."""
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


_CONTACT: Final = ("You can reach me at @@.", "Kontakt: @@", "please answer to @@, thanks", "(@@)", "écrivez à @@")
_MAKERS: Final[dict[str, tuple[Callable[[Random], str], tuple[str, ...]]]] = {
    "EMAIL": (email, (*_CONTACT, "@@ is my address", "mailto <@@>")),
    "PHONE": (phone, ("Call me on @@.", "Telefon: @@", "my number is @@, after five", "(@@)", "tél. @@", "@@")),
    "CARD": (card, ("My card @@ was declined.", "Karte @@", "charged to @@ twice", "(@@)", "card:@@")),
    "IBAN": (iban, ("Please transfer it to @@.", "IBAN @@", "from account @@ on Monday", "(@@)")),
    "NATIONAL_ID": (national_id, ("My id is @@.", "SSN: @@", "number @@ on the form", "(@@)")),
    "IP": (ip, ("The login came from @@.", "host @@ refused", "ping @@, no answer", "(@@)", "from @@ to us")),
    "CREDENTIALS": (url_secret, ("It is https://@@@db.example.com/x.", "see ftp://@@@files.example.org")),
    "SECRET": (secret, ("The key is @@.", "Authorization: @@", "using @@ since Monday", "(@@)", 'key="@@"')),
}
_PLAIN: Final = ("Order @@ has not arrived.", "See @@ for details.", "It says @@ on the label.", "Ref. @@", "since @@")
_LOOKALIKES: Final[tuple[Callable[[Random], str], ...]] = (
    lambda rng: f"A-{digits(rng, 5)}",
    lambda rng: digits(rng, 8),
    lambda rng: f"{rng.randrange(1, 12)}.{rng.randrange(0, 20)}.{rng.randrange(0, 9)}",
    lambda rng: f"version {rng.randrange(1, 12)}.{rng.randrange(20)}.{rng.randrange(9)}.{rng.randrange(9)}",
    lambda rng: f"{rng.randrange(5, 900)}.{digits(rng, 2)} EUR",
    lambda rng: f"2026-0{rng.randrange(1, 9)}-1{rng.randrange(9)} 12:{digits(rng, 2)[0]}0:17",
    lambda rng: f"2026-01-0{rng.randrange(1, 9)}T08:00:00Z",
    lambda rng: "550e8400-e29b-41d4-a716-" + token(rng, 12, "0123456789abcdef"),
    lambda rng: f"1Z{token(rng, 16, string.ascii_uppercase + string.digits)}",
    lambda rng: f"{rng.randrange(10, 99)} of {rng.randrange(100, 999)}",
    lambda rng: f"{rng.randrange(1, 12)}/{rng.randrange(1, 28)}/2026",
    lambda rng: f"{rng.randrange(100, 999)},{digits(rng, 3)},{digits(rng, 3)} rows",
    lambda rng: "0x" + token(rng, 8, "0123456789ABCDEF"),
    lambda _rng: "12:30:45",
    lambda _rng: "@support",
    lambda _rng: "the password is wrong",
    lambda _rng: "token expired",
    lambda rng: f"ISO {rng.randrange(1000, 9999)}:2022",
    lambda rng: f"978-3-16-14{digits(rng, 4)}-0",
)
