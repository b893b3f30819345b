"""Personal data and secrets become typed placeholders, before anything is embedded, indexed, published or logged."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import msgspec

from core.contract import Message, UpsertEvent
from core.records import Rejected, Ticket
from operators.pii.detector import Span
from operators.pii.find import find_in_parts, find_pii

#: The longest keyword that core.contract accepts.
_MAX_KEYWORD: Final = 64
#: Fewest digits of a value that may be split over several tags.
_MIN_SPLIT_DIGITS: Final = 8


def redact(items: Sequence[Ticket]) -> list[Ticket | Rejected]:
    """Redact subject, body, messages, tags, attributes and the other free-form keyword fields.

    The ids of tenant, ticket and customer stay: they are how the ticket is found again. A customer id that is
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
    """JSON source with its decoded strings redacted, and its layout kept; other text is redacted as it is.

    A value is read beside its name, and numbers as their digits. Also works on source that is not valid JSON.
    """
    return redact_text(_STRING_OR_NUMBER.sub(_redacted_token, text))


#: A string with its name, if it has one, or a number behind a name.
_STRING_OR_NUMBER: Final = re.compile(
    r'(?P<label>"(?P<name>(?:[^"\\\n]|\\.){1,128})"\s{0,8}:\s{0,8})?'
    r'(?:"(?P<string>(?:[^"\\]|\\.)*)"|(?<=[:\s])(?P<number>-?\d{4,40}(?:\.\d{1,40})?)(?![\d.eE]))'
)


def _redacted_token(match: re.Match[str]) -> str:
    label, name, string, number = match.group("label", "name", "string", "number")
    known = _decoded(name) if name else ""
    before = f'"{redact_text(known)}"{label[len(name) + 2 :]}' if label and redact_text(known) != known else label or ""
    value = number if string is None else _decoded(string)
    redacted = _redacted_value(known, value) if known else redact_text(value)
    if redacted == value:
        return before + match.group()[len(label or "") :]
    return before + json.dumps(redacted, ensure_ascii=False)


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
        customer_id=None if content.customer_id is None else redact_text(content.customer_id),
        tags=_tags(content.tags),
        messages=tuple(map(_message, content.messages, messages)),
        attributes=_attributes(content.attributes),
    )


def _redacted_parts(texts: list[str]) -> list[str]:
    """The texts of a ticket, read as one: a number may begin in one message and end in the next."""
    return [_replaced(text, spans) if spans else text for text, spans in zip(texts, find_in_parts(texts), strict=True)]


def _message(message: Message, body: str) -> Message:
    return message if body is message.body else msgspec.structs.replace(message, body=body)


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(tags) > 1 and sum(map(str.isdigit, chain.from_iterable(tags))) >= _MIN_SPLIT_DIGITS:
        tags = tuple(_redacted_parts(list(tags)))
    return tuple([_keyword(tag) for tag in tags])


@lru_cache(maxsize=4096)
def _keyword(value: str) -> str:
    """Cached, because keywords come from a small vocabulary."""
    return redact_text(value)[:_MAX_KEYWORD]


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {_keyword(name): _value(name, value) for name, value in attributes.items()}


def _value(name: str, value: Any) -> Any:
    """An attribute's value, read beside its name: only together are they known as `password: hunter2`."""
    if isinstance(value, bool) or value is None:
        return value
    short = not isinstance(value, str) or len(value) <= _MAX_KEYWORD
    return _short_value(name, value) if short else _redacted_value(name, value)


@lru_cache(maxsize=4096, typed=True)
def _short_value(name: str, value: Any) -> Any:
    """Cached: attribute values such as plan, country or release repeat often."""
    return _redacted_value(name, value)


def _redacted_value(name: str, value: Any) -> Any:
    text = value if isinstance(value, str) else repr(value)
    label = f"{name}: "
    together = redact_text(label + text)
    redacted = together.removeprefix(label) if together.startswith(label) else redact_text(text)
    return value if redacted == text else redacted
