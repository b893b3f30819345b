"""Telephone numbers of many countries as people write them, and numbers that only look like personal data."""

import string
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Final

import phonenumbers

from synthetic.pii.frames import REGIONS
from synthetic.pii.values import digits, token

_TRIES: Final = 200


def telephone(rng: Random, region: str) -> str:
    """A number that the plan of `region` assigns, in one of the forms used there."""
    number = _number(rng, region)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    forms = (
        national,
        national,
        _compact(national),
        national.replace("-", " "),
        national.replace(" ", "-") if "(" not in national else national,
        national.replace(" ", "."),
        national.replace(" ", "/", 1),
        national.replace(" ", " / ", 1),
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).replace("+", "00"),
        f"+{number.country_code} (0) {phonenumbers.national_significant_number(number)}"
        if national.startswith("0")
        else national,
    )
    return str(rng.choice(forms))


def any_telephone(rng: Random) -> str:
    """A number of any of the countries."""
    return telephone(rng, rng.choice(REGIONS))


def international(rng: Random) -> str:
    """A number with a plus sign."""
    while not (number := any_telephone(rng)).startswith("+") or "(0)" in number:
        pass
    return number


def _number(rng: Random, region: str) -> phonenumbers.PhoneNumber:
    example = _example(
        region, rng.choice((phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE))
    )
    significant = phonenumbers.national_significant_number(example)
    for _ in range(_TRIES):
        tail = digits(rng, rng.choice((4, 5, 6)))
        number = phonenumbers.PhoneNumber(
            country_code=example.country_code,
            national_number=int(significant[: -len(tail)] + tail),
            italian_leading_zero=example.italian_leading_zero,
        )
        if phonenumbers.is_valid_number(number):
            return number
    return example


@lru_cache(maxsize=64)
def _example(region: str, kind: int) -> phonenumbers.PhoneNumber:
    number = phonenumbers.example_number_for_type(region, kind)
    if number is None:
        raise ValueError(f"{region} has no such numbers")
    return number


def _compact(text: str) -> str:
    return "".join(character for character in text if character.isdigit() or character == "+")


def order_number(rng: Random) -> str:
    """A number as shops, carriers and helpdesks print it, without its label."""
    return rng.choice(_ORDERS)(rng)


def _date(rng: Random) -> tuple[int, int, int]:
    return rng.randrange(1990, 2030), rng.randrange(1, 13), rng.randrange(1, 29)


def _dated(rng: Random, form: str) -> str:
    year, month, day = _date(rng)
    return form.format(y=year, m=month, d=day, yy=year % 100)


_UPPER: Final = string.ascii_uppercase + string.digits
_ORDERS: Final[tuple[Callable[[Random], str], ...]] = (
    lambda rng: digits(rng, rng.randrange(5, 10)),
    lambda rng: "1" + digits(rng, 7),
    lambda rng: f"{digits(rng, 3)}-{digits(rng, 7)}-{digits(rng, 7)}",
    lambda rng: f"0{digits(rng, 2)}-{digits(rng, 7)}",
    lambda rng: f"{digits(rng, 4)}-{digits(rng, 4)}",
    lambda rng: _dated(rng, "{y}{m:02}{d:02}"),
    lambda rng: _dated(rng, "{y}{m:02}{d:02}-") + digits(rng, 4),
    lambda rng: f"A-{digits(rng, 5)}",
    lambda rng: f"INV-{_date(rng)[0]}-{digits(rng, 6)}",
    lambda rng: f"1Z{token(rng, 16, _UPPER)}",
    lambda rng: f"RR{digits(rng, 9)}DE",
    lambda rng: f"00340{digits(rng, 15)}",
    lambda rng: f"{digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)}".replace("4", "7", 1),
    lambda rng: f"JD{digits(rng, 18)}",
    lambda rng: f"SN-{token(rng, 10, _UPPER)}",
    lambda rng: f"{digits(rng, 10)}".replace("0", "8"),
)
#: A sentence and the value in it, of which nothing may go.
PLAIN: Final[tuple[Callable[[Random], str], ...]] = (
    lambda rng: _dated(rng, "spoke by phone {y}-{m:02}-{d:02} with Bob"),
    lambda rng: _dated(rng, "since {d:02}.{m:02}.{y} it fails"),
    lambda rng: _dated(rng, "called on {d:02}-{m:02}-{y} at 10:30"),
    lambda rng: _dated(rng, "log {y}-{m:02}-{d:02} 12:30:45,123 INFO started"),
    lambda rng: _dated(rng, "{d}/{m}/{y} 8:05 phone call"),
    lambda rng: _dated(rng, "at {y}-{m:02}-{d:02}T08:00:00.123+01:00"),
    lambda rng: f"epoch {1_700_000_000_000 + rng.randrange(10**11)} ms",
    lambda rng: f"took {rng.randrange(100, 999)},{digits(rng, 3)},{digits(rng, 3)} ns",
    lambda rng: f"about {rng.randrange(100, 999)} {digits(rng, 3)} {digits(rng, 3)} rows",
    lambda rng: f"EAN 40{digits(rng, 11)}",
    lambda rng: f"snowflake 20{digits(rng, 17)}",
    lambda rng: f"0.{digits(rng, 16)} of all",
    lambda rng: f"ratio {digits(rng, 2)}.{digits(rng, 12)}",
    lambda rng: (
        f"uuid {token(rng, 8, '0123456789abcdef')}-a45d-4{digits(rng, 3)}-8046-{token(rng, 12, '0123456789abcdef')}"
    ),
    lambda rng: f"commit {token(rng, 40, '0123456789abcdef')}",
    lambda rng: f"md5 {token(rng, 32, '0123456789abcdef')}",
    lambda rng: f"0x{token(rng, 16, '0123456789abcdef')}",
    lambda rng: f"ISBN 978-3-16-{digits(rng, 6)}-0",
    lambda rng: f"MAC 00:1a:2b:{token(rng, 2, '0123456789abcdef')}:4d:5e",
    lambda rng: f"size {digits(rng, 4)}x{digits(rng, 4)}",
    lambda rng: f"HTTP 500 at line {digits(rng, 4)} of App.java",
    lambda rng: f"pid {digits(rng, 5)}, thread {digits(rng, 5)}",
    lambda rng: "rows " + " ".join(digits(rng, 3) for _ in range(6)),
    lambda rng: "values: " + ", ".join(digits(rng, 4) for _ in range(5)),
    # versions
    lambda rng: f"{_product(rng)} {_version(rng)} crashes",
    lambda rng: f"upgrade {_product(rng)} to {_version(rng)}",
    lambda rng: f"upgrade {_product(rng)} from {_version(rng)} to {_version(rng)}",
    lambda rng: f"{_product(rng)}-{_version(rng)}.jar is missing",
    lambda rng: f"version {_version(rng)} and build {_version(rng)}",
    lambda rng: f"fixed in {_version(rng)}",
    lambda rng: f"v{_version(rng)}",
    lambda rng: f"<version>{_version(rng)}</version>",
    lambda rng: f"org.example:core:jar:{_version(rng)}:compile",
    lambda rng: f"/opt/app/{_version(rng)}-{digits(rng, 3)}/lib",
    lambda rng: (
        f"Mozilla/5.0 Chrome/{rng.randrange(90, 140)}.0.{rng.randrange(256)}.{rng.randrange(200)} Safari/537.36"
    ),
    lambda rng: f"Windows 10.0.{rng.randrange(99)}.{rng.randrange(99)}",
    lambda rng: f"since the update to {_version(rng)} nothing works",
    lambda rng: f"see section {rng.randrange(1, 9)}.{rng.randrange(9)}.{rng.randrange(9)}.{rng.randrange(9)}",
    # addresses that are no mail
    lambda rng: f"icon logo@{rng.randrange(1, 4)}x.png is missing",
    lambda rng: f"abfs://data{rng.randrange(9)}@account.dfs.core.windows.net/raw",
    lambda rng: f"wasbs://logs@store{rng.randrange(9)}.blob.core.windows.net/x",
    lambda rng: f"git clone git@git{rng.choice(('hub', 'lab'))}.com:acme/app{rng.randrange(9)}.git",
    lambda _rng: "ssh://git@git.example.org/acme/app",
    lambda rng: f"npm i react@{rng.randrange(15, 19)}.{rng.randrange(9)}.0 lodash@4.17.21",
    lambda rng: f"uses: actions/checkout@v{rng.randrange(2, 5)}.1.0",
    lambda rng: f"org.example.Pool@{token(rng, 8, '0123456789abcdef')}.close failed",
    lambda _rng: "look at example.com and see",
    lambda _rng: "docs are available at docs.example.org",
    lambda _rng: "getty@tty1.service failed",
    lambda _rng: "hello @support and @ada",
    # secrets that are none
    lambda _rng: "password = conf.get(KEY)",
    lambda _rng: "token = e.getValue();",
    lambda _rng: "+token: Kind: kms-dt",
    lambda _rng: 'String password = System.getenv("DB_PASS");',
    lambda _rng: "fs.s3a.session.token = (unset)",
    lambda _rng: "the password is wrong and the token expired",
    lambda _rng: "Password: required",
    lambda _rng: "basic functionality/configuration is gone",
    lambda _rng: "bearer authentication/authorization fails",
    lambda rng: f"max_tokens={digits(rng, 4)}",
    lambda _rng: "token_type=bearer, password_file=/etc/app/pw1",
    lambda _rng: "password must be 8-64 characters",
    lambda _rng: "I forgot my password 3 times",
    lambda _rng: "DB_PASSWORD=${DB_PASSWORD} and token=<token>",
    lambda _rng: "the secret is out; key features: 12 of them",
    lambda _rng: "passenger: 12345678, monkey=5678a, keyboard: k120b",
    lambda _rng: "std::vector and ab::cd in C++",
    lambda _rng: "/home/ubuntu/app and https://example.com/home/page",
    lambda rng: f"GET /api/v1/users/{digits(rng, 6)}/orders",
)


def _product(rng: Random) -> str:
    return rng.choice(
        ("jackson-databind", "app", "Derby", "snappy-java", "Firefox", "driver", "ojdbc8", "Quill Notes", "netty")
    )


def _version(rng: Random) -> str:
    return f"{rng.randrange(31)}.{rng.randrange(60)}.{rng.randrange(30)}.{rng.randrange(10)}"
