"""Personal data and secrets become typed placeholders, before anything is embedded, indexed, published or logged."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from core.contract import Message, UpsertEvent
from core.records import Rejected, Ticket
from operators.pii.find import find_pii

_MAX_KEYWORD: Final = 64  # of the contract


def redact(items: Sequence[Ticket]) -> list[Ticket | Rejected]:
    """Redact subject, body, messages, tags, attributes and the other words a producer chooses.

    The ids of tenant, ticket and customer stay: they are how the ticket is found again. A customer id that is
    itself personal data becomes its placeholder.
    """
    return [
        item if item.content is None else msgspec.structs.replace(item, content=_content(item.content))
        for item in items
    ]


def redact_text(text: str) -> str:
    """`text` with each finding replaced by its kind in brackets: `[EMAIL]`, `[CARD]` and so on."""
    spans = find_pii(text)
    if not spans:
        return text
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return "".join([*pieces, text[at:]])


def _content(content: UpsertEvent) -> UpsertEvent:
    return msgspec.structs.replace(
        content,
        subject=redact_text(content.subject),
        body=redact_text(content.body),
        channel=_keyword(content.channel),
        status=_keyword(content.status),
        priority=None if content.priority is None else _keyword(content.priority),
        category=None if content.category is None else _keyword(content.category),
        customer_id=None if content.customer_id is None else redact_text(content.customer_id),
        tags=tuple(_keyword(tag) for tag in content.tags),
        messages=tuple(_message(message) for message in content.messages),
        attributes=_attributes(content.attributes),
    )


def _message(message: Message) -> Message:
    return msgspec.structs.replace(message, body=redact_text(message.body))


@lru_cache(maxsize=4096)
def _keyword(value: str) -> str:
    """A word of a small vocabulary: looked at once."""
    return redact_text(value)[:_MAX_KEYWORD]


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {_keyword(name): _value(name, value) for name, value in attributes.items()}


def _value(name: str, value: Any) -> Any:
    """An attribute's value, read beside its name: `password: hunter2` says what it is only together."""
    if isinstance(value, bool) or value is None:
        return value
    short = not isinstance(value, str) or len(value) <= _MAX_KEYWORD
    return _short_value(name, value) if short else _redacted_value(name, value)


@lru_cache(maxsize=4096, typed=True)
def _short_value(name: str, value: Any) -> Any:
    """Attributes repeat: a plan, a country, a release."""
    return _redacted_value(name, value)


def _redacted_value(name: str, value: Any) -> Any:
    text = value if isinstance(value, str) else repr(value)
    redacted = redact_text(text)
    if redacted != text:
        return redacted
    label = f"{name.replace('_', ' ')}: "
    together = redact_text(label + text)
    if together.startswith(label) and together != label + text:
        return together.removeprefix(label)
    return value
