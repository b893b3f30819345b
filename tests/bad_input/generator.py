"""Generates records at and beyond the limits of the contract, reproducibly by seed."""

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final

from core.records import Headers, Origin, Record
from synthetic.broken import broken_record
from tests.bad_input.values import LITERALS, MARKS, PIECES, TIMES
from tests.reading import MAX_RECORD_BYTES

Made = tuple[bytes | None, bytes | None, Headers]
#: Names and JSON texts of fields, in the order they are written; a name may repeat.
Fields = list[tuple[str, bytes]]

TOPIC: Final = "tickets.raw"
_TIME_MS: Final = 1_767_225_600_000
_MANY: Final = 400
_LONG: Final = 4_000


def records(count: int, *, seed: int) -> Iterator[Record]:
    """Yield `count` records of random kinds, each with its own ticket unless the ids are the fault."""
    rng = Random(seed)
    for number in range(count):
        key, value, headers = rng.choice(_KINDS)(rng, number)
        yield Record(Origin(TOPIC, number % 4, number // 4), key, value, _TIME_MS + number, headers)


#: Values of the right type with a literal nested inside.
_AROUND: Final[dict[str, Callable[[bytes], bytes]]] = {
    "messages": lambda literal: b'[{"author":' + literal + b',"body":"","created_at":0}]',
    "tags": lambda literal: b'["vip",' + literal + b"]",
    "attributes": lambda literal: b'{"a":' + literal + b"}",
    "unlisted": lambda literal: b'{"deep":[' + literal + b"]}",
}
#: A text with every mark in a form that redaction recognises.
_TELLING: Final = f"My card is {MARKS[2]}, write to {MARKS[1]}; {MARKS[0]}, password: {MARKS[4]}"


def corpus() -> Iterator[Record]:
    """Yield one record for each combination of field and literal, nested ones too, and for each time."""
    made: list[bytes | None] = []
    for literal in LITERALS:
        for name, _ in fields(0):
            made.append(written([(n, literal if n == name else v) for n, v in fields(len(made))]))
        for name, around in _AROUND.items():
            made.append(written([*(pair for pair in fields(len(made)) if pair[0] != name), (name, around(literal))]))
    for text in TIMES:
        for name in ("created_at", "updated_at"):
            quoted = b'"' + text.encode() + b'"'
            made.append(written([(n, quoted if n == name else v) for n, v in fields(len(made))]))
    for number, value in enumerate(made):
        yield Record(Origin(TOPIC, 0, number), key_of(number), value, _TIME_MS)


def fields(number: int, text: str = _TELLING) -> Fields:
    """Fields of a valid upsert, with marks in its texts."""
    return [
        ("op", b'"upsert"'),
        ("tenant_id", b'"acme"'),
        ("ticket_id", b'"N-%d"' % number),
        ("schema_version", b"1"),
        ("version", b"3"),
        ("created_at", b"%d" % _TIME_MS),
        ("updated_at", b'"2026-01-05T08:00:00Z"'),
        ("subject", json.dumps(text).encode()),
        ("body", json.dumps(f"<p>{text}</p>", ensure_ascii=False).encode()),
        ("channel", b'"email"'),
        ("status", b'"open"'),
        ("priority", b'"high"'),
        ("category", b"null"),
        ("customer_id", b'"C-1"'),
        ("tags", b'["vip","eu"]'),
        ("messages", b'[{"author":"agent","body":"Hello","created_at":0,"public":false}]'),
        ("attributes", b'{"source":"inbox","seats":12,"share":0.5,"vip":true,"none":null}'),
    ]


def key_of(number: int) -> bytes:
    """The key of `fields(number)`."""
    return b"acme/N-%d" % number


def written(given: Sequence[tuple[str, bytes]]) -> bytes:
    """A JSON object with these raw values."""
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in given) + b"}"


def _sound(_rng: Random, number: int) -> Made:
    return key_of(number), written(fields(number)), ()


def _known_bad(rng: Random, number: int) -> Made:
    return broken_record(rng, number)


def _one_field(rng: Random, number: int) -> Made:
    """Replace one field's value with a literal."""
    given = fields(number)
    at = rng.randrange(len(given))
    given[at] = (given[at][0], rng.choice(LITERALS))
    return key_of(number), written(given), ()


def _nested_field(rng: Random, number: int) -> Made:
    """Nest a literal in a message, whose field may repeat; or in a tag, an attribute or an unlisted field."""
    literal = rng.choice(LITERALS)
    name = rng.choice(("author", "body", "created_at", "public", "more"))
    message = [("author", b'"agent"'), ("body", b'"Hi"'), ("created_at", b"0")]
    message = [pair for pair in message if pair[0] != name or rng.random() < 0.3] + [(name, literal)]
    replaced = {**{n: around(literal) for n, around in _AROUND.items()}, "messages": b"[" + written(message) + b"]"}
    field = rng.choice(tuple(replaced))
    given = [pair for pair in fields(number) if pair[0] != field] + [(field, replaced[field])]
    return key_of(number), written(given), ()


def _left_out_or_twice(rng: Random, number: int) -> Made:
    given = fields(number)
    at = rng.randrange(len(given))
    pair = given.pop(at)
    for _ in range(rng.choice((0, 0, 2, 2, 3))):
        given.insert(rng.randrange(len(given) + 1), (pair[0], rng.choice((pair[1], pair[1], rng.choice(LITERALS)))))
    rng.shuffle(given)
    return key_of(number), written(given), ()


def _time(rng: Random, number: int) -> Made:
    name, text = rng.choice(("created_at", "updated_at")), b'"' + rng.choice(TIMES).encode() + b'"'
    return key_of(number), written([(n, text if n == name else v) for n, v in fields(number)]), ()


def _bytes(rng: Random, number: int) -> Made:
    """Corrupt a valid value: cut, flip, repeat or delete bytes."""
    value = bytearray(written(fields(number, text=MARKS[0])))  # redaction doesn't recognise a truncated secret
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(value))
        what = rng.randrange(5)
        if what == 0:
            del value[at:]
        elif what == 1:
            value[at] = rng.randrange(256)
        elif what == 2:
            value[at:at] = value[rng.randrange(len(value)) :][:20]
        elif what == 3:
            del value[at : at + rng.randrange(1, 9)]
        else:
            value[at] ^= 1 << rng.randrange(8)
        if not value:
            break
    return key_of(number), bytes(value), ()


def _encoded(rng: Random, number: int) -> Made:
    value = written(fields(number))
    changed = rng.choice(
        (
            b"\xef\xbb\xbf" + value,
            value.decode().encode("utf-16"),
            value.decode().encode("utf-32-le"),
            value + rng.choice((b"\x00", b" \n\t\r", b" x", value, b",", b"]", b"}", b"\xc2\xa0")),
            rng.choice((b"\x0b", b" \r\n", b"[", b"\x00", b"(")) + value,
            b"[" + value + b"]",
            value.replace(b'"', b"'"),
            value.replace(b":", b"=", 1),
            value[:-1] + b',"\xff":1}',
            value[:-1] + b',"x":"\xfe"}',
        )
    )
    return key_of(number), changed, ()


def _framed(rng: Random, number: int) -> Made:
    """Prefix a schema registry's header, wrap in an envelope, or use another format."""
    given = fields(number)
    if rng.random() < 0.3:
        at = rng.randrange(len(given))
        given[at] = (given[at][0], rng.choice(LITERALS))
    value = written(given)
    connect = b'{"schema":{"type":"struct"},"payload":'
    framed = rng.choice(
        (
            b"\0\0\0\0\5" + value,
            b"\0\0\0\xc8\x7b\n " + value,
            b"\0\0\0\0\5" + rng.choice((b"", b"\0", b"\x08acme\x02", b"[", b"{", value[1:], b"[" + value + b"]")),
            b"\3\0" + bytes(range(16)) + value,
            b"\3\5" + bytes(range(16)) + value,
            connect + value + b"}",
            connect + b"null}",
            b'{"before":null,"after":' + value + b',"op":"c","ts_ms":1}',
            connect + b'{"op":"u","after":' + value + b"}}",
            b'{"before":' + value + b',"after":null,"op":"d"}',
            b'{"op":"c","value":' + value + b"}",
            b'{"specversion":"1.0","id":"1","data":' + value + b"}",
            b'{"specversion":"1.0","id":"1","data_base64":"eyJ9"}',
            json.dumps(value.decode(errors="replace")).encode(),
            value + b"\n" + value,
            b"\x86\xa2op\xa6upsert",
            b"\x1f\x8b" + value,
        )
    )
    return key_of(number), framed, ()


def _key(rng: Random, number: int) -> Made:
    keys = (None, b"", b"/", b"acme", b"acme/", b"/N-1", b"acme/N-%d " % number, b"ACME/N-%d" % number, b"\xff/1",
            b"acme//N-%d" % number, b'"acme/N-%d"' % number, b"acme/N-%d\n" % number, b"a" * 9_000)  # fmt: skip
    value = None if rng.random() < 0.4 else written(fields(number))
    return rng.choice(keys), value, ()


def _null(rng: Random, number: int) -> Made:
    versions = (b"7", b"0", b"", b"-1", b"+1", b" 7", b"7\n", b"1.0", b"1e3", b"seven", b"\xff", b"9007199254740990",
                b"9007199254740991", b"9007199254740992", b"9" * 400, b"0" * 30, b"007", "٣".encode())  # fmt: skip
    headers: Headers = (("version", rng.choice(versions)),)
    if rng.random() < 0.3:
        headers = (("trace", b"\xff\x00"), *headers, *headers)
    return key_of(number), None, headers


def _size(rng: Random, number: int) -> Made:
    """A record one byte below, at or one byte above the size limit."""
    given = [pair for pair in fields(number) if pair[0] != "body"]
    room = MAX_RECORD_BYTES - len(written([*given, ("body", b'""')]))
    fill = b"word " * (room // 5 + 1)
    return key_of(number), written([*given, ("body", b'"' + fill[: room + rng.choice((-1, 0, 1))] + b'"')]), ()


def _many(rng: Random, number: int) -> Made:
    count = rng.choice((0, 1, 99, 100, 101, 999, 1000, 1001, 5_000))
    message = b'{"author":"customer","body":"","created_at":0}'
    field, one = rng.choice((("tags", b'"t"'), ("messages", message), ("unlisted", b"[]"), ("unlisted", b"{}")))
    given = [pair for pair in fields(number) if pair[0] != field] + [(field, b"[" + b",".join([one] * count) + b"]")]
    return key_of(number), written(given), ()


def _deep(rng: Random, number: int) -> Made:
    levels = rng.choice((1, 14, 15, 16, 17, 100, 50_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    shut = closing * (levels if rng.random() < 0.8 else 0)
    inner = b"1" if rng.random() < 0.7 else b'"' + b"[{" * 30 + b'"'
    return key_of(number), written([*fields(number), ("unlisted", opening * levels + inner + shut)]), ()


def _attributes(rng: Random, number: int) -> Made:
    names = (rng.choice(("", "a b", "\u202e", MARKS[1])), "other")
    pairs = [(name, rng.choice(LITERALS)) for name in names]
    given = [pair for pair in fields(number) if pair[0] != "attributes"]
    return key_of(number), written([*given, ("attributes", written(pairs))]), ()


def _text(rng: Random, number: int) -> Made:
    """A valid event with a long repetitive text and marks."""
    pieces = [rng.choice(PIECES) for _ in range(rng.choice((1, 1, 2, 3)))]
    long = "".join(pieces) * (rng.choice((1, _MANY, _LONG)) // len(pieces))
    parts = [long[:20_000], f" {MARKS[1]} "] if rng.random() < 0.5 else [long[:20_000]]
    text = json.dumps("".join(rng.sample(parts, len(parts))), ensure_ascii=rng.random() < 0.5).encode()
    field = rng.choice(("subject", "body", "body", "message"))
    if field == "message":
        field, text = "messages", b'[{"author":"customer","body":' + text + b',"created_at":0}]'
    return key_of(number), written([(name, text if name == field else value) for name, value in fields(number)]), ()


def _delete(rng: Random, number: int) -> Made:
    names = ("tenant_id", "ticket_id", "version")
    given = [("op", b'"delete"'), *(pair for pair in fields(number) if pair[0] in names)]
    if rng.random() < 0.7:
        at = rng.randrange(len(given) + 1)
        given[at:at] = [(rng.choice((*names, "updated_at", "schema_version", "subject")), rng.choice(LITERALS))]
    return key_of(number), written(given), ()


_KINDS: Final[tuple[Callable[[Random, int], Made], ...]] = (
    _sound, _known_bad, _one_field, _one_field, _nested_field, _nested_field, _left_out_or_twice, _time, _bytes, _bytes,
    _encoded, _framed, _key, _null, _attributes, _text, _text, _delete, _many, _deep, _size,
)  # fmt: skip


def hit(texts: Any, words: Sequence[str] = MARKS) -> list[str]:
    """Return the words that occur in `texts`."""
    text = texts if isinstance(texts, str) else repr(texts)
    return [word for word in words if word in text]
