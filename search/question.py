"""Parses a question into filters, quoted phrases and the remaining text."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, cast, get_args

import msgspec
from msgspec import Struct

from core.contract import Role, milliseconds
from core.errors import ConfigError
from core.index import SearchQuery
from operators.invisible import remove_invisible
from operators.redact import redact_text
from operators.tokens import UNSPACED, pieces_of

_EMPTY: Final = "the question is empty; say what you are looking for"
#: A longer question is pasted text, such as a whole ticket, and most of its words don't matter.
_LONG: Final = 300
#: Minimum and maximum characters of a phrase.
_PHRASE: Final = (2, 200)
#: A phrase is required if it is at least this share of the question's words, or of its pairs of characters in scripts
#: without spaces; else it is preferred.
_REQUIRED_SHARE: Final = 0.5

_VALUE: Final = r'(?:"[^"]*"|[^\s"]+)'
_FILTER: Final = re.compile(rf"(?<!\S)(?P<name>[a-z]+):(?P<value>{_VALUE})(?!\S)")
#: Quotes of one pair that stand at the ends of words; in scripts without spaces they may stand anywhere.
_QUOTED: Final = re.compile(
    rf'(?<![^\W{UNSPACED}])(?:"([^"]+)"|“([^“”]+)”|„([^„“”]+)[“”]|”([^“”]+)”|«([^«»]+)»)(?![^\W{UNSPACED}])'
    "|「([^「」]+)」|『([^『』]+)』"
)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")

#: Fields of a query with values, by the name of their filter.
_FIELDS: Final[Mapping[str, str]] = {
    "status": "status",
    "category": "category",
    "language": "language",
    "channel": "channel",
    "customer": "customer_id",
    "priority": "priority",
    "role": "role",
}
_ANSWERS: Final = {"yes": True, "true": True, "no": False, "false": False}
_NAMES: Final = frozenset({*_FIELDS, "after", "before", "solved"})


class ReadQuestion(Struct, frozen=True, kw_only=True):
    """A question as it was read.

    Attributes:
        text: the question without its filters and quotes, not redacted yet.
        phrases: the quoted phrases, with single spaces.
        required: the phrases are most of the question, so that only passages that hold them all are found.
        query: the caller's query, narrowed by the filters in the text.
        long: the text is long, as a whole ticket is.
    """

    text: str
    query: SearchQuery
    phrases: tuple[str, ...] = ()
    required: bool = False
    long: bool = False


def read_question(text: str, query: SearchQuery) -> ReadQuestion:
    """Parse the filters and phrases in `text`, unless it is pasted text: long, or of several lines.

    A filter is `name:value` with a name that a query has; any other stays text, and so does a filter in quotes. The
    filters of the text narrow `query` and never widen it.

    Raises:
        ConfigError: the question is empty, or a filter has a bad value or contradicts the query.
    """
    text = remove_invisible(text if text.isascii() else unicodedata.normalize("NFC", text))  # as tickets are cleaned
    if not text.strip():
        raise ConfigError(_EMPTY)
    if len(text) > _LONG or "\n" in text.strip():
        return ReadQuestion(text=text.strip(), query=query, long=len(text) > _LONG)
    for found in _FILTER.finditer(text):
        if found["name"] in _NAMES:
            query = _narrowed(query, found["name"], found["value"])
    text = _FILTER.sub(lambda found: "" if found["name"] in _NAMES else found[0], text)
    quoted = [next(filter(None, found.groups())) for found in _QUOTED.finditer(text)]
    phrases = tuple(phrase for phrase in map(_single_spaced, quoted) if _PHRASE[0] <= len(phrase) <= _PHRASE[1])
    plain = _single_spaced(_QUOTED.sub(lambda found: f" {next(filter(None, found.groups()))} ", text))
    if not plain:
        raise ConfigError(_EMPTY)
    words = sum(len(pieces_of(phrase)) for phrase in phrases)
    required = bool(phrases) and words >= _REQUIRED_SHARE * len(pieces_of(plain))
    return ReadQuestion(text=plain, query=query, phrases=phrases, required=required)


def parse_moment(value: str, name: str) -> int:
    """Milliseconds since 1970 of a date or time; UTC if it has no offset.

    Raises:
        ConfigError: it is neither; the message begins with `name`.
    """
    try:
        parsed = datetime.fromisoformat(value)
        return milliseconds(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ConfigError(f"{name}: {value!r} is not a date or time; write 2026-01-31 or 2026-01-31T08:00") from None


def _single_spaced(text: str) -> str:
    return " ".join(text.split())


def _narrowed(query: SearchQuery, name: str, value: str) -> SearchQuery:
    quoted, value = value.startswith('"'), value.strip('"').strip()
    if name in _FIELDS:
        return _with_values(query, name, [value] if quoted else value.split(","))
    if name == "solved":
        return _with_solved(query, value)
    moment = parse_moment(value, name)
    if name == "after":
        after = query.updated_after_ms
        return msgspec.structs.replace(query, updated_after_ms=moment if after is None else max(after, moment))
    before = query.updated_before_ms
    return msgspec.structs.replace(query, updated_before_ms=moment if before is None else min(before, moment))


def _with_values(query: SearchQuery, name: str, typed: Sequence[str]) -> SearchQuery:
    check, value = _CHECKS.get(name), ",".join(typed)
    values = tuple(redact_text(part) for part in typed if part)
    if not values or (check and not all(map(check, values))):
        raise ConfigError(f"{name}:{value} is not a filter; {_HELP.get(name, f'write {name}:VALUE')}")
    given = cast("tuple[str, ...]", getattr(query, _FIELDS[name]))
    kept = tuple(one for one in given if one in values) if given else values
    if not kept:
        raise ConfigError(f"{name}:{value} in the question contradicts the filter {name} {', '.join(given)}")
    return msgspec.structs.replace(query, **{_FIELDS[name]: kept})


def _with_solved(query: SearchQuery, value: str) -> SearchQuery:
    solved = _ANSWERS.get(value)
    if solved is None:
        raise ConfigError(f"solved:{value} is not a filter; write solved:yes or solved:no")
    if query.solved not in {None, solved}:
        raise ConfigError(f"solved:{value} in the question contradicts the filter on solved tickets")
    return msgspec.structs.replace(query, solved=solved)


_CHECKS: Final[Mapping[str, Callable[[str], object]]] = {
    "language": _LANGUAGE.fullmatch,
    "role": frozenset(get_args(Role)).__contains__,
}
_HELP: Final = {
    "language": "write the code of ISO 639-1, for example language:de",
    "role": f"write role: with {', '.join(get_args(Role)[:-1])} or {get_args(Role)[-1]}",
}
