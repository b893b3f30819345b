"""The check that a JSON body is strict, so that every parser reads it alike."""

import json
import re
from collections.abc import Sequence
from typing import Final, NoReturn

from services.http.problems import FieldError, Problem

_MAX_FAULTS: Final = 20
#: Digits of a whole number. The largest that a field accepts has 19.
_MAX_DIGITS: Final = 20
#: Strings are skipped, unterminated ones too, so that no byte is read twice; brackets and braces nest.
_NESTING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_FORBIDDEN: Final = re.compile("[\x00\ud800-\udfff]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


class _NotStrictError(ValueError):
    """The message says which rule is broken, and quotes nothing."""


def check_json(body: bytes, *, max_depth: int) -> None:
    """Require strict JSON.

    Raises:
        Problem: `body` is not UTF-8 or not JSON, nests deeper than `max_depth`, has a key twice, a number that is not
            finite or has too many digits, or a text with NUL or half of a surrogate pair.
    """
    _check_depth(body, max_depth)
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_short
        )
    except UnicodeDecodeError:
        raise Problem("bad-request", "The body is not UTF-8.") from None
    except _NotStrictError as error:
        raise Problem("bad-request", str(error)) from None
    except json.JSONDecodeError as error:
        raise Problem("bad-request", f"The body is not JSON: see line {error.lineno}, column {error.colno}.") from None
    if b"\\u" in body and (faults := _faulty_texts(value)):  # unescaped, these aren't UTF-8 JSON
        raise Problem("invalid", "A text holds characters that are not allowed.", errors=faults)


def field_name(path: Sequence[str | int]) -> str:
    """A field's path for a problem document. A key that looks unlike a name is shown as `?`."""
    parts = (str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "?" for part in path)
    return ".".join(parts) or "body"


def _check_depth(body: bytes, most: int) -> None:
    depth = 0
    for found in _NESTING.finditer(body):
        first = found[0][:1]
        if first in b"[{":
            depth += 1
            if depth > most:
                raise Problem("bad-request", f"The body nests deeper than {most} levels.")
        elif first in b"]}":
            depth -= 1


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotStrictError("The body has an object with the same key twice.")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise _NotStrictError("The body has a number that JSON does not have: NaN or Infinity.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _NotStrictError("The body has a number that is too large.")
    return number


def _short(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise _NotStrictError(f"The body has a number of more than {_MAX_DIGITS} digits.")
    return int(text)


def _faulty_texts(value: object) -> list[FieldError]:
    """Fields whose text, or an object whose key, holds NUL or half of a surrogate pair."""
    faults: list[FieldError] = []
    left: list[tuple[tuple[str | int, ...], object]] = [((), value)]
    while left:
        path, one = left.pop()
        if isinstance(one, str):
            if _FORBIDDEN.search(one):
                faults.append(FieldError(field_name(path), "holds NUL or half of a surrogate pair"))
        elif isinstance(one, dict):
            if any(_FORBIDDEN.search(key) for key in one):
                faults.append(FieldError(field_name(path), "has a key with NUL or half of a surrogate pair"))
            left.extend(((*path, key), inner) for key, inner in one.items())
        elif isinstance(one, list):
            left.extend(((*path, at), inner) for at, inner in enumerate(one))
    return faults[:_MAX_FAULTS]
