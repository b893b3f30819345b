"""Replaces personal data and secrets by typed placeholders, before texts are embedded, indexed, published or logged."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, Literal

import msgspec

from core.contract import AttributeValue, Message, UpsertEvent
from core.records import Rejected, Ticket
from operators.pii.detector import Span
from operators.pii.find import find_in_parts, find_pii

#: The longest keyword that core.contract accepts.
_MAX_KEYWORD: Final = 64
#: Minimum digits of a value that may be split over several tags.
_MIN_SPLIT_DIGITS: Final = 8


def redact(items: Sequence[Ticket]) -> list[Ticket | Rejected]:
    """Redact subject, body, messages, tags, attributes and the other free-form keyword fields.

    The ids of tenant, ticket and customer stay, because tickets are found by them. A customer id that is
    itself personal data becomes its placeholder.
    """
    return [
        item if item.content is None else msgspec.structs.replace(item, content=_content(item.content))
        for item in items
    ]


def redact_text(text: str) -> str:
    """`text` with each finding replaced by its kind in brackets: `[EMAIL]`, `[CARD]` and so on."""
    return _replaced(text, find_pii(text))


def redact_json(text: str) -> str:
    """JSON source with its decoded strings redacted; the layout is kept, and it need not be valid.

    A value is judged with its name, and a named number by its digits. Text outside JSON is redacted as text.
    """
    pieces, at = [], 0
    name: str | None = None
    while (match := _TOKEN.search(text, at)) is not None:
        gap, token = text[at : match.start()], match.group()
        if token == _OPEN:
            break  # a string that never ends
        at = match.end()
        named, name = name if name is not None and _COLON.fullmatch(gap) else None, None
        if token[0] == _OPEN:
            name = _decoded(token[1:-1])
            token = _redacted_token(named, token, name)
        elif named is not None:
            token = _redacted_token(named, token, token)
        pieces += [gap, token]
    return redact_text("".join([*pieces, text[at:]]))


_OPEN: Final = '"'
#: A string, the beginning of one that never ends, or a number of four digits or more.
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|"|-?[0-9]{4,40}(?:\.[0-9]{1,40})?(?![.0-9eE])')
_COLON: Final = re.compile(r"\s{0,8}:\s{0,8}")
_SHORTEST: Final = 3  # "::1"


def _redacted_token(name: str | None, token: str, value: str) -> str:
    """The token, or the JSON string that takes its place if its value is personal."""
    if len(value) < _SHORTEST:
        return token
    redacted = redact_text(value) if name is None else str(_redacted_value(name, value))
    return token if redacted == value else json.dumps(redacted, ensure_ascii=not _is_encodable(redacted))


def _is_encodable(text: str) -> bool:
    """No lone surrogates, which JSON can escape and UTF-8 can't hold."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _decoded(string: str) -> str:
    """The text that a JSON string stands for; as it is if it is not valid."""
    try:
        return str(json.loads(f'"{string}"', strict=False))
    except ValueError:
        return string


def _replaced(text: str, spans: list[Span]) -> str:
    if not spans:
        return text
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return "".join([*pieces, text[at:]])


def _content(content: UpsertEvent) -> UpsertEvent:
    subject, body, *messages = _redacted_parts([content.subject, content.body, *[m.body for m in content.messages]])
    return msgspec.structs.replace(
        content,
        subject=subject,
        body=body,
        channel=_keyword(content.channel),
        status=_keyword(content.status),
        priority=None if content.priority is None else _keyword(content.priority),
        category=None if content.category is None else _keyword(content.category),
        customer_id=None if content.customer_id is None else _identifier(content.customer_id),
        tags=_tags(content.tags),
        messages=tuple(map(_message, content.messages, messages)),
        attributes=_attributes(content.attributes),
    )


def _redacted_parts(texts: list[str], separator: Literal["\n", " "] = "\n") -> list[str]:
    """The texts of a ticket, redacted as one, because a number may begin in one message and end in the next."""
    found = find_in_parts(texts, separator=separator)
    return [_replaced(text, spans) if spans else text for text, spans in zip(texts, found, strict=True)]


def _message(message: Message, body: str) -> Message:
    return message if body is message.body else msgspec.structs.replace(message, body=body)


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(tags) > 1 and sum(map(str.isdigit, chain.from_iterable(tags))) >= _MIN_SPLIT_DIGITS:
        tags = tuple(_redacted_parts(list(tags), " "))
    return tuple([_keyword(tag) for tag in tags])


@lru_cache(maxsize=4096)
def _keyword(value: str) -> str:
    """Cached, because keywords come from a small vocabulary."""
    return redact_text(value)[:_MAX_KEYWORD]


@lru_cache(maxsize=16_384)
def _identifier(value: str) -> str:
    """Cached, because a customer writes more than once."""
    return redact_text(value)


def _attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    return {_keyword(name): _value(name, value) for name, value in attributes.items()}


def _value(name: str, value: AttributeValue) -> AttributeValue:
    """An attribute's value, judged together with its name, as in `password: hunter2`."""
    if isinstance(value, bool) or value is None:
        return value
    short = not isinstance(value, str) or len(value) <= _MAX_KEYWORD
    return _short_value(name, value) if short else _redacted_value(name, value)


@lru_cache(maxsize=4096, typed=True)
def _short_value(name: str, value: AttributeValue) -> AttributeValue:
    """Cached: attribute values such as plan, country or release repeat often."""
    return _redacted_value(name, value)


def _redacted_value(name: str, value: AttributeValue) -> AttributeValue:
    text = value if isinstance(value, str) else repr(value)
    label = f"{name}: "
    together = redact_text(label + text)
    redacted = together.removeprefix(label) if together.startswith(label) else redact_text(text)
    return value if redacted == text else redacted
