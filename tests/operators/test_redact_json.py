"""Redaction of JSON source by its decoded strings."""

import time

import pytest

from operators.redact import redact_json


@pytest.mark.parametrize(
    ("source", "redacted"),
    [
        (
            r'{"body":"My card:\n4111 1111 1111 1111\nCall\n+44 20 7946 0123"}',
            r'{"body":"My card:\n[CARD]\nCall\n[PHONE]"}',
        ),
        (r'{"body":"4111\u00a01111\u00a01111\u00a01111"}', '{"body":"[CARD]"}'),
        ('{"phone": 442079460123, "n": 12}', '{"phone": "[PHONE]", "n": 12}'),
        ('{"password" : "hunter2"}', '{"password" : "[SECRET]"}'),
        ('{"ada@example.com": 1}', '{"[EMAIL]": 1}'),
        ('{"order_number":"020 7946 0123"}', '{"order_number":"020 7946 0123"}'),
        ('{"body": "ada@example.com, "phone": 07700900123', '{"body": "[EMAIL], "phone": [PHONE]'),
        (r'{"a":"caf\u00e9 \ud800","b":"\ud800 ada@example.com"}', r'{"a":"caf\u00e9 \ud800","b":"\ud800 [EMAIL]"}'),
        (r'{"path":"C:\\Users\\tom\\x"}', r'{"path":"C:\\Users\\[USER]\\x"}'),
        ("no JSON: 4111111111111111", "no JSON: [CARD]"),
        ("", ""),
    ],
)
def test_json_source_is_redacted_by_the_strings_it_stands_for(source: str, redacted: str) -> None:
    """Escaped values are found, names label their values, and the layout stays, in broken JSON too."""
    assert redact_json(source) == redacted


@pytest.mark.parametrize("unit", ['"', '"a":', '"\\"', '{"a":1,', "\\", '"a":"b",'])
def test_the_cost_of_json_grows_with_its_length(unit: str) -> None:
    """Eight times the source takes less than 24 times the work."""

    def cost(size: int) -> float:
        source = unit * (size // len(unit))
        began = time.thread_time()
        redact_json(source)
        return time.thread_time() - began

    small = min(cost(8_000) for _ in range(3))
    assert min(cost(64_000) for _ in range(2)) < max(24 * small, 0.05)
