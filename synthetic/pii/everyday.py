"""Everyday forms of personal data that neighbours, separators, line breaks, tables and encodings make hard to find."""

import re
import string
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from synthetic.pii.labelled import Form, Labelled, formed
from synthetic.pii.numbers import any_telephone, international
from synthetic.pii.values import (
    any_ip,
    any_ipv4,
    cpf,
    digits,
    dni,
    grouped_card,
    iban,
    key,
    nino,
    password,
    personnummer,
    plain_mail,
    secret,
    ssn,
    token,
    wide,
)


def everyday(count: int, *, seed: int = 7) -> Iterator[Labelled]:
    """Each form in turn."""
    yield from formed(_FORMS, count, seed, "ordinary")


def _pick(*choices: str) -> Callable[[Random], str]:
    return lambda rng: rng.choice(choices)


_MONTHS: Final = _pick("12/27", "01/20", "exp 05/28", "09-2029", "1227 123", "123", "cvv 123", "2")
_NAMES: Final = (
    *(
        "DB_PASSWORD",
        "DATABASE_PASSWORD",
        "aws_secret_access_key",
        "SECRET_KEY_BASE",
        "api_key",
        "API-Key",
        "x-api-key",
    ),
    *(
        "client_secret",
        "access_token",
        "AUTH_TOKEN",
        "PGPASSWORD",
        "MYSQL_PWD",
        "private_key",
        "SharedAccessKey",
        "db.password",
    ),
    *(
        "spring.datasource.password",
        "GITHUB_TOKEN",
        "refreshToken",
        "JWT_SECRET",
        "encryption_key",
        "stripe_secret_key",
    ),
)
_PASSWORDS: Final = (
    *(
        "password ",
        "password: ",
        "Password is ",
        "pwd: ",
        "pass: ",
        "DB_PASS=",
        "my password is ",
        "passwd=",
        "Passwort: ",
    ),
    *("password -> ", "changed my password to ", "the password for it is ", "password='", 'password="', "passcode: "),
)
_HOMES: Final = ("/home/", "/Users/", "/export/home/", "file:///home/", "/mnt/c/Users/", '"/home/', "C:/Users/")

_FORMS: Final[tuple[Form, ...]] = (
    ("CARD", "before expiry", lambda r: f"Please charge «{grouped_card(r)}» {_MONTHS(r)}"),
    ("CARD", "before expiry, unbroken", lambda r: f"Visa «{grouped_card(r, '')}» {_MONTHS(r)}"),
    ("CARD", "after a number", lambda r: f"item {r.randrange(1, 9)} «{grouped_card(r)}» please"),
    ("CARD", "before a hyphen", lambda r: f"«{grouped_card(r, '-')}»-{r.randrange(9)}"),
    ("CARD", "dots, slashes, underscores", lambda r: f"card «{grouped_card(r, r.choice('./_'))}» declined"),
    ("CARD", "wide gaps", lambda r: f"paid with «{grouped_card(r, r.choice(('  ', ' - ', ' – ', '—')))}» twice"),
    (
        "CARD",
        "two lines",
        lambda r: "my card is\n«{} {}\n{} {}»\nthanks".format(*re.findall("....", grouped_card(r, ""))),
    ),
    ("CARD", "table cells", lambda r: f"Card«{grouped_card(r, '')}»\n\nName Ada"),
    ("CARD", "tabs", lambda r: f"Visa\t«{grouped_card(r, '')}»\t12/27\t123"),
    ("CARD", "pipes", lambda r: f"|card|«{grouped_card(r)}»|12/27|"),
    ("CARD", "JSON number", lambda r: f'{{"card":«{grouped_card(r, "")}»,"cvv":123,"ok":true}}'),
    ("CARD", "JSON escapes", lambda r: f'"My card:\\n«{grouped_card(r)}»\\nbye"'),
    ("CARD", "no-break spaces", lambda r: f"card «{grouped_card(r, chr(0xA0))}» declined"),
    ("CARD", "HTML entities", lambda r: f"My card is «{grouped_card(r, '&nbsp;')}», please refund"),
    ("CARD", "full-width", lambda r: f"card «{wide(grouped_card(r))}» declined"),
    ("CARD", "beside a date", lambda r: f"2026-01-05 «{grouped_card(r)}» charged"),
    ("CARD", "beside an order", lambda r: f"order 302-1234567-1234567 «{grouped_card(r)}»"),
    ("PHONE", "national forms", lambda r: f"Tel.: «{any_telephone(r)}»"),
    ("PHONE", "national forms, call", lambda r: f"Please call me at «{any_telephone(r)}» after five."),
    (
        "PHONE",
        "national forms, signature",
        lambda r: f"Ada Okafor\nExample Ltd\nPhone «{any_telephone(r)}»\nFax «{any_telephone(r)}»",
    ),
    ("PHONE", "table cells", lambda r: f"Phone«{international(r)}»"),
    ("PHONE", "before a number", lambda r: f"call «{international(r)}» 2 times"),
    ("PHONE", "JSON number", lambda r: f'{{"phone":«1{r.randrange(2, 9)}02555{digits(r, 4)}»,"name":"Ada"}}'),
    ("PHONE", "JSON string", lambda r: f'{{"phoneNumber": "«{any_telephone(r)}»", "id": 17}}'),
    ("PHONE", "tel URI", lambda r: f"tel:«{international(r).replace(' ', '-')}»"),
    ("PHONE", "with extension", lambda r: f"call «1 ({r.randrange(202, 209)}) 555-01{digits(r, 2)}» ext. 12"),
    ("PHONE", "next line", lambda r: f"Telephone\n«{international(r)}»\nRegards"),
    ("PHONE", "beside a date", lambda r: f"on 2026-01-05 I called from phone «{international(r)}»"),
    ("EMAIL", "plain", lambda r: f"write to «{plain_mail(r)}», please"),
    ("EMAIL", "before a sentence", lambda r: f"Write to «{plain_mail(r)}».Thanks"),
    ("EMAIL", "table cells", lambda r: f"Mail: «{plain_mail(r)}»\tAda"),
    ("EMAIL", "in angle brackets", lambda r: f"Ada Okafor <«{plain_mail(r)}»>; bcc"),
    ("EMAIL", "mailto", lambda r: f"[mail](mailto:«{plain_mail(r)}»?subject=x)"),
    ("EMAIL", "percent", lambda r: f"https://example.com/u?email=«{plain_mail(r).replace('@', '%40')}»&x=1"),
    ("EMAIL", "entity", lambda r: f"write to «{plain_mail(r).replace('@', '&#64;')}» please"),
    ("EMAIL", "JSON escapes", lambda r: f'{{"mail":"«{plain_mail(r)}»\\n","x":"\\u00e9"}}'),
    ("EMAIL", "spaces around the sign", lambda r: f"mail «{plain_mail(r).replace('@', ' @ ')}» please"),
    ("IBAN", "plain", lambda r: f"IBAN «{iban(r)}» BIC COBADEFFXXX"),
    ("IBAN", "table cells", lambda r: f"IBAN«{iban(r).replace(' ', '')}»"),
    ("IBAN", "small letters", lambda r: f"account «{iban(r).lower()}» please"),
    ("IBAN", "no-break spaces", lambda r: f"IBAN: «{iban(r).replace(' ', chr(0xA0))}»"),
    ("IBAN", "before text", lambda r: f"to «{iban(r)}» by 5 May 2026"),
    ("IBAN", "HTML entities", lambda r: f"IBAN «{iban(r).replace(' ', '&nbsp;')}» ok"),
    ("NATIONAL_ID", "label", lambda r: f"SSN «{ssn(r)}», NI no. «{nino(r)}»"),
    ("NATIONAL_ID", "table cells", lambda r: f"SSN«{ssn(r)}»Name Ada"),
    ("NATIONAL_ID", "others", lambda r: f"DNI «{dni(r)}», CPF «{cpf(r)}»; personnummer «{personnummer(r)}»"),
    ("NATIONAL_ID", "JSON", lambda r: f'{{"ssn":"«{ssn(r)}»","n":1}}'),
    ("NATIONAL_ID", "after a number", lambda r: f"person 2: «{ssn(r)}» born 1970-01-05"),
    ("IP", "resolver", lambda r: f"ping «{any_ip(r)}» fails"),
    ("IP", "with port", lambda r: f"connect to «{r.randrange(1, 30)}.{r.randrange(60)}.18.2»:8080 refused"),
    ("IP", "Java", lambda r: f"host-1/«{r.randrange(1, 220)}.{r.randrange(60)}.18.2»:8020 timeout"),
    ("IP", "URL", lambda r: f"http://«{any_ipv4(r)}»/index.html"),
    ("IP", "network", lambda r: f"allow «{any_ipv4(r)}»/24 please"),
    ("IP", "table cells", lambda r: f"IP«{any_ipv4(r)}»Key"),
    ("IP", "log", lambda r: f'«{any_ipv4(r)}» - - [05/Jan/2026:08:00:00 +0000] "GET / HTTP/1.1" 200'),
    ("CREDENTIALS", "password alone", lambda r: f"redis://«:{key(r)}»@cache:6379/0"),
    ("CREDENTIALS", "user and password", lambda r: f"postgres://«app:{password(r)}»@db/x"),
    ("SECRET", "prefixed names", lambda r: f"{r.choice(_NAMES)}{r.choice(('=', ' = ', ': '))}«{key(r)}»"),
    ("SECRET", "password names", lambda r: f"{r.choice(_PASSWORDS)}«{password(r)}»"),
    (
        "SECRET",
        "JSON",
        lambda r: f'{{"user":"ada","{r.choice(("password", "apiKey", "clientSecret"))}":"«{key(r)}»"}}',
    ),
    ("SECRET", "XML", lambda r: f"<password>«{password(r)}»</password>"),
    ("SECRET", "property", lambda r: f"<name>fs.s3a.secret.key</name><value>«{key(r)}»</value>"),
    ("SECRET", "connection string", lambda r: f"Server=db;User Id=sa;Password=«{key(r)}»;Encrypt=True"),
    ("SECRET", "account key", lambda r: f"AccountName=x;AccountKey=«{key(r)}{key(r)}==»;EndpointSuffix=core"),
    ("SECRET", "basic", lambda r: f"Authorization: Basic «{r.choice(('YWRhOmh1bnRlcjI=', 'dXNlcjpwYXNz', 'YTpi'))}»"),
    ("SECRET", "bearer", lambda r: f"Authorization: Bearer «{key(r)}»"),
    ("SECRET", "option", lambda r: f"mysql --user root --password «{password(r)}» -h db"),
    ("SECRET", "URL parameter", lambda r: f"https://x.example/?password_reset_token=«{key(r)}»"),
    ("SECRET", "vendor", lambda r: f"key «{secret(r)}» leaked"),
    ("SECRET", "table cells", lambda r: f"Key«AKIA{token(r, 16, string.ascii_uppercase + string.digits)}»"),
    ("SECRET", "next line", lambda r: f"Password:\n«{password(r)}»\nthanks"),
    (
        "USER",
        "home folders",
        lambda r: f"at {r.choice(_HOMES)}«{r.choice(('ada.okafor', 'bruno', 'jdoe42', 'tom'))}»/x.log",
    ),
    (
        "USER",
        "Windows",
        lambda r: f"C:\\Users\\«{r.choice(('ada.okafor', 'Bruno', 'jdoe42', 'nina', 'tom'))}»\\AppData",
    ),
)
