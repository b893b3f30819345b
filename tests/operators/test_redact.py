"""Redaction of texts, fields and tickets: hand-written cases."""

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Message, UpsertEvent
from core.records import Ticket
from operators.clean import clean_text
from operators.pii.detector import Detector, Kind, Span
from operators.pii.find import find_pii
from operators.redact import redact, redact_text
from tests.fakes import record

GOES = [
    ("mail ada@example.com now", "mail [EMAIL] now"),
    ("Ada <ADA.Okafor+x@sub.example.co.uk>", "Ada <[EMAIL]>"),
    ("ada (at) example (dot) com", "[EMAIL]"),
    ("call +44 20 7946 0123 please", "call [PHONE] please"),
    ("call (202) 555-0143", "call [PHONE]"),
    ("Tel. 030/1234567", "Tel. [PHONE]"),
    ("ring 0049 30 1234567", "ring [PHONE]"),
    ("phone: 5550143", "phone: [PHONE]"),
    ("card 4111 1111 1111 1111.", "card [CARD]."),
    ("4111-1111-1111-1111", "[CARD]"),
    ("amex 378282246310005", "amex [CARD]"),
    ("４１１１ １１１１ １１１１ １１１１", "[CARD]"),
    ("4111\u00a01111\u00a01111\u00a01111", "[CARD]"),
    ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN] please"),
    ("gb82west12345698765432", "[IBAN]"),
    ("ssn 078-05-1120", "ssn [NATIONAL_ID]"),
    ("NI number AB 12 34 56 C", "NI number [NATIONAL_ID]"),
    ("DNI 12345678Z", "DNI [NATIONAL_ID]"),
    ("codice RSSMRA85T10A562S", "codice [NATIONAL_ID]"),
    ("from 192.0.2.17:8080", "from [IP]:8080"),
    ("fe80::1 and 2001:db8::ff00:42:8329", "[IP] and [IP]"),
    ("postgres://app:s3cr3t@db/x", "postgres://[CREDENTIALS]@db/x"),
    ("https://x.example/cb?code=1&access_token=abc123def", "https://x.example/cb?code=1&access_token=[SECRET]"),
    ("password: hunter2", "password: [SECRET]"),
    ("my password is Tr0ub4dor&3", "my password is [SECRET]"),
    ("Passwort ist geheim123", "Passwort ist [SECRET]"),
    ("api_key=9f8e7d6c5b4a", "api_key=[SECRET]"),
    ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [SECRET]"),
    ("AKIAIOSFODNN7EXAMPLE", "[SECRET]"),
    ("key ghp_0123456789abcdefghijklmnopqrstuvwxyz", "key [SECRET]"),
    ("xoxb-12345678901-abcdefGHIJKL", "[SECRET]"),
    (
        "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N end",
        "jwt [SECRET] end",
    ),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nbye", "[SECRET]\nbye"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE and cut off", "[SECRET]"),
    # beside other digits, letters and lines
    ("我的卡号是4111111111111111请退款", "我的卡号是[CARD]请退款"),
    ("charge 4111 1111 1111 1111 12/27 123", "charge [CARD] 12/27 123"),
    ("item 2 4111 1111 1111 1111", "item 2 [CARD]"),
    ("4111 1111\n1111 1111", "[CARD]"),
    ("Card4111111111111111\tPhone+44 20 7946 0123", "Card[CARD]\tPhone[PHONE]"),
    ("SSN078-05-1120IP192.0.2.17KeyAKIAIOSFODNN7EXAMPLE", "SSN[NATIONAL_ID]IP[IP]Key[SECRET]"),
    ('{"card":4111111111111111,"phone":442079460123}', '{"card":[CARD],"phone":[PHONE]}'),
    ("4111/1111/1111/1111 4111_1111_1111_1111 4111·1111·1111·1111", "[CARD] [CARD] [CARD]"),
    # telephones as they are written at home
    ("appelez le 0618345678 ou 06.18.34.56.78", "appelez le [PHONE] ou [PHONE]"),
    ("Tel 030 / 123 45 67, mob: 0176-12345678", "Tel [PHONE], mob: [PHONE]"),
    ("WhatsApp me 612345678", "WhatsApp me [PHONE]"),
    ("звоните 8 (495) 123-45-67", "звоните [PHONE]"),
    ("携帯は090-1234-5678です", "携帯は[PHONE]です"),
    ("call 1 (202) 555-0143", "call [PHONE]"),
    # addresses
    ("jane.doe @ example.com or jane.doe at example.com", "[EMAIL] or [EMAIL]"),
    ("请发送到ada@example.com这个邮箱", "请发送到[EMAIL]这个邮箱"),
    ("Write to ada@example.com.Thanks", "Write to [EMAIL].Thanks"),
    ("?email=ada%40example.com&x", "?email=[EMAIL]&x"),
    ("our IP is 8.8.8.8, from 5.6.7.8", "our IP is [IP], from [IP]"),
    ("host-1/5.6.7.8:8020", "host-1/[IP]:8020"),
    # secrets behind names
    ("DB_PASSWORD=hunter2", "DB_PASSWORD=[SECRET]"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [SECRET]"),
    ("SECRET_KEY_BASE=abcdef0123456789", "SECRET_KEY_BASE=[SECRET]"),
    ("AccountKey=abcDEF123456+/abcDEF==;x=1", "AccountKey=[SECRET];x=1"),
    ("password hunter2!", "password [SECRET]"),
    ("Authorization: Basic YWRhOmh1bnRlcjI=", "Authorization: Basic [SECRET]"),
    ("redis://:s3cr3t@cache:6379", "redis://[CREDENTIALS]@cache:6379"),
    ("<name>fs.s3a.secret.key</name><value>a1b2c3d4</value>", "<name>fs.s3a.secret.key</name><value>[SECRET]</value>"),
    ("密码是abc12345请重置", "密码是[SECRET]请重置"),
    ("mysql -u root -pS3cr3t! db", "mysql -u root -p[SECRET] db"),
    # home folders
    ("/home/ada/x and C:\\Users\\nina\\y", "/home/[USER]/x and C:\\Users\\[USER]\\y"),
    # findings that run into each other
    ("?key=_ada (at) b (dot) ada.lovelace@example.com", "?key=[CREDENTIALS] (at) b (dot) [EMAIL]"),
    ("jane@example.org.bob@example.com", "[EMAIL].[EMAIL]"),
    ("password: 4111 1111 1111 1111", "password: [SECRET][CARD]"),
]

STAYS = [
    "order 12345678 from 2026-01-05 at 12:30:45",
    "version 1.2.3.4 and build 10.0.19045.2",
    "v2.0.0.1",
    "invoice A-10293 of 1,234.56 EUR",
    "uuid 550e8400-e29b-41d4-a716-446655440000",
    "tracking 1Z999AA10123456784",
    "commit 9f8e7d6c5b4a39281706f5e4d3c2b1a098765432",
    "the password is wrong",
    "my token expired yesterday",
    "reset the api key please",
    "4111 1111 1111 1112 is no card",
    "temperature 20.5, 21.5, 22.5",
    "call @support or #billing",
    "a ratio of 16:9 and a score of 3:2",
    "see section 3.1.4.1",
    "it costs 0.99",
    "room 0815",
    "1234567890123456789012345678901234567890",
    "https://example.com/path?page=2&sort=asc",
    "C++ :: operator",
    "if a < b and c > d",
    "2026-11-23T08:00:00+01:00",
    "ISBN 978-3-16-148410-0",
    "lot 99999999X",
    "Bestell-Nummer: 20240115",
    "spoke by phone 2024-01-05 with Bob",
    "Order #020-1234567 and Rechnung 0815-4711",
    "order 302-1234567-1234567",
    "FedEx 7712 3456 7890",
    "icon logo@2x.png is missing",
    "abfs://container@account.dfs.core.windows.net/x",
    "git clone git@github.com:acme/app.git",
    "npm i react@17.0.2",
    "thanks @ada.lovelace!",
    "java.lang.Error at java.net.URLClassLoader.findClass",
    "SeaMonkey 2.53.18.2 crashes",
    "upgrade jackson-databind from 2.9.10.2 to 2.9.10.3",
    "/usr/ddp/3.1.4.0-315/lib",
    "Chrome/113.0.130.188 Safari/537.36",
    "basic functionality/configuration is gone",
    "token: Kind: kms-dt",
    "password = conf.get(KEY)",
    "DB_PASSWORD=${DB_PASSWORD}",
    "max_tokens=4096 and token_type=bearer",
    "passenger: 12345678, monkey=5678a",
    "std::vector and ab::cd",
    "/home/ubuntu/app, GET /api/users/123456",
    "epoch 1767225600000, EAN 4006381333931",
    "snowflake 2095112345678901234",
]


@pytest.mark.parametrize(("text", "redacted"), GOES)
def test_what_must_go(text: str, redacted: str) -> None:
    """Personal data is replaced, and the text around it is kept."""
    assert redact_text(text) == redacted


@pytest.mark.parametrize("text", STAYS)
def test_what_must_stay(text: str) -> None:
    """Ordinary numbers and words are kept."""
    assert redact_text(text) == text


def test_every_field_a_producer_fills_is_redacted() -> None:
    """All fields that a producer fills are redacted: texts, tags, keywords, names and values of attributes."""
    mail, card = "ada@example.com", "4111 1111 1111 1111"
    content = UpsertEvent(
        tenant_id="acme",
        ticket_id="1",
        created_at=0,
        updated_at=0,
        subject=f"from {mail}",
        body=f"card {card}",
        status=mail,
        channel=mail,
        category=mail,
        priority=mail,
        customer_id=mail,
        tags=(mail, "vip"),
        messages=(Message(author="agent", body=f"call {mail}", created_at=0),),
        attributes={mail: 1, "card": card, "number": 4111111111111111, "seats": 12, "password": "hunter2", "on": True},
    )
    (done,) = redact([Ticket(record(), "acme", "1", 1, content)])
    shown = repr(done.content)  # type: ignore[union-attr]
    for secret in (mail, card, "4111111111111111", "hunter2"):
        assert secret not in shown
    attributes: dict[str, Any] = done.content.attributes  # type: ignore[union-attr]
    assert attributes["seats"] == 12
    assert attributes["on"] is True
    assert "vip" in done.content.tags  # type: ignore[union-attr]


def test_a_value_that_is_split_over_messages_or_tags_is_redacted() -> None:
    """Both halves of a card become placeholders."""
    content = UpsertEvent(
        tenant_id="acme",
        ticket_id="1",
        created_at=0,
        updated_at=0,
        body="my card is 4111 1111",
        tags=("vip", "4111", "1111", "1111", "1111"),
        messages=(Message(author="customer", body="1111 1111", created_at=0),),
    )
    (done,) = redact([Ticket(record(), "acme", "1", 1, content)])
    changed = done.content  # type: ignore[union-attr]
    assert changed is not None
    assert changed.body == "my card is [CARD]"
    assert changed.messages[0].body == "[CARD]"
    assert changed.tags == ("vip", "[CARD]", "[CARD]", "[CARD]", "[CARD]")


def test_an_attribute_is_read_by_its_name() -> None:
    """The same four numbers are a version under one name and an address under another."""
    attributes: dict[str, str | int | float | bool | None] = {
        "app_version": "5.12.0.1",
        "client_ip": "5.12.0.1",
        "order_number": "020 7946 0123",
        "seats": 12,
    }
    content = UpsertEvent(tenant_id="a", ticket_id="1", created_at=0, updated_at=0, attributes=attributes)
    (done,) = redact([Ticket(record(), "acme", "1", 1, content)])
    assert done.content.attributes == {**attributes, "client_ip": "[IP]"}  # type: ignore[union-attr]


def test_hidden_characters_do_not_hide() -> None:
    """Invisible characters do not hide a value, whether cleaning removed them before or not."""
    assert redact_text(clean_text("4111\u200b1111\u200d11111111")) == "[CARD]"
    assert redact_text(clean_text("ada\u00ad@example.com")) == "[EMAIL]"
    assert redact_text(clean_text("<p>ada&#64;example.com</p>")) == "[EMAIL]"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_twice_is_as_good_as_once(text: str) -> None:
    """Redaction is idempotent: placeholders are not redacted again."""
    once = redact_text(text)
    assert redact_text(once) == once


def test_of_three_findings_that_overlap_no_digit_is_left() -> None:
    """Where three findings overlap, every digit of them is redacted."""

    def detector(kind: Kind, pattern: str) -> Detector:
        return Detector(kind, lambda view: (match.span() for match in re.finditer(pattern, view.text)))

    found = find_pii(
        "no 1234567890.", (detector("SECRET", "23"), detector("CARD", r"\d{10}"), detector("PHONE", "890"))
    )
    assert found == [Span(3, 4, "CARD"), Span(4, 6, "SECRET"), Span(6, 10, "CARD"), Span(10, 13, "PHONE")]


@pytest.mark.parametrize(
    "unit",
    [
        *("1", "1 ", "a@", "a.", "eyJ", "password: ", "::", "-----BEGIN PRIVATE KEY-----", "+1 2", "DE89 "),
        *("http://a:", "?key=_ada (at) b (dot) ada@b.org", "password: 4111 1111 1111 1111 ", "a@b.org."),
    ],
)
def test_cost_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Eight times the text takes less than 24 times the work: a quadratic detector would take 64 times."""

    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.thread_time()
        redact_text(text)
        return time.thread_time() - began

    small = min(cost(8_000) for _ in range(3))
    assert min(cost(64_000) for _ in range(2)) < max(24 * small, 0.05)
