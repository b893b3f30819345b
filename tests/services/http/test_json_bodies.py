"""The check of a JSON body refuses ambiguous JSON, and each of its rules is needed."""

import inspect
import json
import sys
import types
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.http import json_bodies
from services.http.problems import Problem

_DEPTH: Final = 8
#: Bodies that are refused, by the rule that refuses them.
REFUSED: Final[dict[str, bytes]] = {
    "too deep": b"[" * 9 + b"]" * 9,
    "too deep behind a text with brackets": b'{"a": "]]]]]]", "b": [[[[[[[[]]]]]]]]}',
    "too deep behind an escaped quotation mark": b'{"a": "\\"]]]", "b": [[[[[[[[]]]]]]]]}',
    "a key twice": b'{"a": 1, "a": 1}',
    "a key twice by an escape": b'{"a": 1, "\\u0061": 2}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "a float that overflows": b'{"a": -1e400}',
    "too many digits": b'{"a": 100000000000000000000}',
    "far too many digits": b'{"a": ' + b"1" * 5_000 + b"}",
    "NUL in a text": b'{"a": "\\u0000"}',
    "NUL in a key": b'{"\\u0000": 1}',
    "NUL deep in a list": b'{"a": [[{"b": ["\\u0000"]}]]}',
    "half of a pair": b'{"a": "\\ud800"}',
    "the halves of a pair the wrong way round": b'{"a": "\\ude00\\ud83d"}',
    "not UTF-8": b'{"a": "\xff"}',
    "half of a pair in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "an unescaped control character": b'{"a": "\x00"}',
    "two values": b"{} {}",
    "a trailing comma": b"[1,]",
    "a comment": b"[1] // one",
    "single quotation marks": b"{'a': 1}",
    "nothing but spaces": b"  ",
    "no end": b'{"a": [',
}
ACCEPTED: Final = [
    b'{"a": "\\ud83d\\ude00 [[[[[[[[[[[", "b": [-1.5e3, 18446744073709551615, null, true]}',
    b"[[[[[[[[1]]]]]]]]",
    '"ünïcode"'.encode(),
    b" 5 ",
    b'{"a": {"b": 1}, "b": {"a": 1}}',
]
#: The source of a rule, and the mutant that replaces it.
MUTANTS: Final = {
    "any_depth": ("_check_depth(body, max_depth)", "pass"),
    "count_brackets_in_texts": (r'"(?:[^"\\]|\\.)*+"?|', ""),
    "count_brackets_behind_escapes": (r'"(?:[^"\\]|\\.)*+', '"[^"]*+'),
    "keep_the_last_key": ("object_pairs_hook=_unique", "object_pairs_hook=dict"),
    "allow_constants": ("parse_constant=_no_constant", "parse_constant=float"),
    "allow_infinity": ("parse_float=_finite", "parse_float=float"),
    "any_digits": ("if len(text) > _MAX_DIGITS", "if len(text) > 4000"),
    "any_text": ('if b"\\\\u" in body and', "if False and"),
    "any_key": ("if any(_FORBIDDEN.search(key) for key in one):", "if False:"),
    "texts_of_lists_pass": ("elif isinstance(one, list):", "elif False:"),
    "nul_alone": ("\\ud800-\\udfff", ""),
    "halves_alone": ("[\\x00\\ud800", "[\\ud800"),
    "other_encodings": ("body.decode()", "body.decode('utf-8-sig', 'replace')"),
}


def wrongly_judged(module: Any) -> list[str]:
    """Bodies that `module` wrongly accepts, wrongly refuses, or fails on."""
    found = []
    for name, body in [*REFUSED.items(), *((str(body), body) for body in ACCEPTED)]:
        try:
            module.check_json(body, max_depth=_DEPTH)
            refused = False
        except Problem:
            refused = True
        except Exception:  # noqa: BLE001 - a traceback is a fault too
            refused = body in ACCEPTED
        if refused != (name in REFUSED):
            found.append(name)
    return found


def test_every_body_is_judged_rightly() -> None:
    """Bodies that are not strict JSON are refused, and others pass."""
    assert wrongly_judged(json_bodies) == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_missing_rule_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one of its rules the check judges a body wrongly."""
    old, new = MUTANTS[name]
    source = inspect.getsource(json_bodies)
    assert old in source
    module = types.ModuleType("mutant")
    monkeypatch.setitem(sys.modules, "mutant", module)
    exec(compile(source.replace(old, new), "mutant", "exec"), module.__dict__)
    assert wrongly_judged(module)


@given(st.binary(max_size=60) | st.text('{}[]":,\\u0d8 1aeE+-.', max_size=60).map(str.encode))
def test_any_bytes_are_judged(body: bytes) -> None:
    """Any bytes are either a problem or JSON of bounded depth."""
    try:
        json_bodies.check_json(body, max_depth=_DEPTH)
    except Problem as problem:
        assert problem.status in (400, 422)  # noqa: PT017 - the other outcome is good too
    else:
        json.loads(body.decode())


def test_a_long_text_takes_no_long_time() -> None:
    """Unterminated texts and texts of escapes are read in one pass."""
    for body in (b'"' + b"a" * 1_000_000, b'"' + b"\\" * 1_000_000, b"[" * 8 + b'"' + b'\\"' * 500_000):
        with pytest.raises(Problem):
            json_bodies.check_json(body, max_depth=_DEPTH)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (["a", 0, "b"], "a.0.b"),
        ([], "body"),
        (["<script>"], "?"),
        (["a" * 65], "?"),
        (["a\n"], "?"),
        (["x", "\u00e9"], "x.?"),
    ],
)
def test_a_field_is_named_by_its_path(path: list[str | int], name: str) -> None:
    """A field's path shows only keys that look like names."""
    assert json_bodies.field_name(path) == name
