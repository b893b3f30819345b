"""Made-up personal data and secrets, one function per kind.

Checksums are computed here and not by a library, so that a detector is not measured against itself. All data is
fictitious: reserved ranges where they exist, otherwise random numbers with a valid checksum.
"""

import string
from random import Random


def digits(rng: Random, count: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(count))


def token(rng: Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return rng.choice(string.digits) + "".join(rng.choice(alphabet) for _ in range(count - 1))


def email(rng: Random) -> str:
    name = rng.choice(("ada.okafor", "bruno_m", "c.moreau+work", "d-petrov", "elif.haddad99", "f", "info", "o'neill"))
    host = rng.choice(("example.com", "mail.example.org", "example.co.uk", "sub.dept.example.net", "exämple.com"))
    return rng.choice((f"{name}@{host}", f"{name}@{host}".upper(), f"{name} (at) {host}", f"{name}[at]{host}"))


def phone(rng: Random) -> str:
    return rng.choice(
        (
            f"+1 202-555-01{digits(rng, 2)}",
            f"(202) 555-01{digits(rng, 2)}",
            f"202-555-01{digits(rng, 2)}",
            f"+44 20 7946 0{digits(rng, 3)}",
            f"+49 30 {rng.randrange(2, 9)}{digits(rng, 6)}",
            f"0049 89 {rng.randrange(2, 9)}{digits(rng, 7)}",
            f"+33 1 {rng.randrange(40, 60)} {digits(rng, 2)} {digits(rng, 2)} {digits(rng, 2)}",
            f"030 {rng.randrange(2, 9)}{digits(rng, 6)}",
            f"06 {digits(rng, 2)} {digits(rng, 2)} {digits(rng, 2)} {digits(rng, 2)}",
            f"+39 06 698{digits(rng, 5)}",
            f"+34 91{rng.randrange(1, 9)} {digits(rng, 3)} {digits(rng, 3)}",
        )
    )


def luhn(body: str) -> str:
    """`body` with its check digit (ISO/IEC 7812-1, annex B)."""
    total = sum(int(d) if n % 2 else sum(divmod(2 * int(d), 10)) for n, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def card(rng: Random) -> str:
    number = rng.choice(
        (
            luhn("4" + digits(rng, 14)),
            luhn("5" + rng.choice("12345") + digits(rng, 13)),
            luhn("3" + rng.choice("47") + digits(rng, 12)),
            luhn("6011" + digits(rng, 11)),
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


def iban(rng: Random) -> str:
    country, body = rng.choice(
        (
            ("DE", digits(rng, 18)),
            ("FR", digits(rng, 23)),
            ("NL", "ABNA" + digits(rng, 10)),
            ("GB", "NWBK" + digits(rng, 14)),
            ("ES", digits(rng, 20)),
            ("AT", digits(rng, 16)),
        )
    )
    moved = "".join(str(int(c, 36)) for c in f"{body}{country}00")
    number = f"{country}{98 - int(moved) % 97:02}{body}"  # ISO 13616-1
    if rng.random() < 0.5:
        return number
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def national_id(rng: Random) -> str:
    return rng.choice((ssn, nino, dni, personnummer, cpf))(rng)


def ssn(rng: Random) -> str:
    return f"{rng.randrange(100, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}"


def nino(rng: Random) -> str:
    letters = f"{rng.choice('ABCEHJ')}{rng.choice('ABCEHJ')}"
    number = " ".join((letters, digits(rng, 2), digits(rng, 2), digits(rng, 2), rng.choice("ABCD")))
    return number if rng.random() < 0.5 else number.replace(" ", "")


def dni(rng: Random) -> str:
    number = rng.randrange(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def personnummer(rng: Random) -> str:
    birth = f"{rng.randrange(50, 99)}{rng.randrange(1, 12):02}{rng.randrange(1, 28):02}"
    return f"{birth}-{luhn(birth + digits(rng, 3))[-4:]}"


def cpf(rng: Random) -> str:
    body = digits(rng, 8) + rng.choice("123456789")
    for _ in range(2):
        rest = sum(int(d) * w for d, w in zip(reversed(body), range(2, 12), strict=False)) * 10 % 11
        body += str(rest % 10)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def ip(rng: Random) -> str:
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


def url_secret(rng: Random) -> str:
    return f"{rng.choice(('svc', 'admin', 'ada'))}:{token(rng, rng.randrange(8, 20))}"


def secret(rng: Random) -> str:
    base64 = string.ascii_letters + string.digits + "-_"
    return rng.choice(
        (
            "AKIA" + token(rng, 16, string.ascii_uppercase + string.digits),
            "ghp_" + token(rng, 36),
            "xoxb-" + digits(rng, 11) + "-" + token(rng, 24),
            "sk_live_" + token(rng, 24),
            "sk-" + token(rng, 48),
            "glpat-" + token(rng, 20),
            "AIza" + token(rng, 35, base64),
            f"eyJ{token(rng, 20, base64)}.eyJ{token(rng, 40, base64)}.{token(rng, 43, base64)}",
        )
    )


def plain_mail(rng: Random) -> str:
    name = rng.choice(("ada.okafor", "bruno_m", "c.moreau+work", "d-petrov", "elif99", "jane.doe", "info", "x1"))
    return f"{name}@{rng.choice(('example.com', 'mail.example.org', 'example.co.uk', 'sub.dept.example.net'))}"


def any_ip(rng: Random) -> str:
    """An address of documentation, of a private network, of a public resolver, or any other."""
    return rng.choice(
        (
            f"192.0.2.{rng.randrange(256)}",
            f"203.0.113.{rng.randrange(256)}",
            f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
            rng.choice(("8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9")),
            f"{rng.randrange(60, 220)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
            f"2001:db8::{rng.randrange(1, 65535):x}",
        )
    )


def any_ipv4(rng: Random) -> str:
    """Such an address of version 4."""
    while ":" in (address := any_ip(rng)):
        pass
    return address


def password(rng: Random) -> str:
    """A password like those that people choose."""
    return rng.choice(
        (
            f"hunter{rng.randrange(100)}",
            f"Tr0ub4dor&{rng.randrange(10)}",
            f"{token(rng, 10)}x",
            f"Summer{rng.randrange(2000, 2030)}!",
            f"s3cr3t-{digits(rng, 2)}",
            f"geheim{digits(rng, 3)}",
        )
    )


def grouped_card(rng: Random, gap: str = " ") -> str:
    """Sixteen digits in fours."""
    while len(number := card(rng).replace(" ", "").replace("-", "")) != 16:
        pass
    return gap.join(number[at : at + 4] for at in range(0, 16, 4))


def key(rng: Random) -> str:
    """A password like those that programs generate."""
    return token(rng, 24)


def wide(text: str) -> str:
    """Full-width forms of ASCII."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" for c in text)
