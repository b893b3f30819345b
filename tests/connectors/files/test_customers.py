"""Customers and examples from JSONL, and a line for each mistake in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.files.customers import load_customers, read_examples
from core.errors import ConfigError
from core.records import Example


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes a file and says where."""

    def _write(content: bytes) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_bytes(content)
        return path

    return _write


def test_a_customer_is_found_by_tenant_and_id(write: Callable[[bytes], Path]) -> None:
    """The same id of another tenant is another customer, and an unknown one is None."""
    customers = load_customers(
        write(
            b'{"tenant_id":"a","customer_id":"1","plan":"pro"}\n\n{"tenant_id":"b","customer_id":"1","plan":"free"}\n'
        )
    )
    assert customers.lookup("a", "1") == {"plan": "pro"}
    assert customers.lookup("b", "1") == {"plan": "free"}
    assert customers.lookup("a", "2") is None


def test_facts_become_text(write: Callable[[bytes], Path]) -> None:
    """Numbers as they are written, booleans as yes and no; null is no fact."""
    row = b'\xef\xbb\xbf{"tenant_id":"a","customer_id":"1","seats":12,"vip":true,"trial":false,"rate":0.5,"end":null}'
    assert load_customers(write(row)).lookup("a", "1") == {"seats": "12", "vip": "yes", "trial": "no", "rate": "0.5"}


def test_examples_may_lack_either_label(write: Callable[[bytes], Path]) -> None:
    """Category and priority are learnt apart."""
    path = write('{"text":"Où est mon colis?","category":"delivery"}\n{"text":"help!","priority":"high"}\n'.encode())
    assert read_examples(path) == [Example("Où est mon colis?", "delivery"), Example("help!", None, "high")]


@pytest.mark.parametrize(
    ("read", "line", "words"),
    [
        (load_customers, b"{", "truncated"),
        (load_customers, b"[]", "Expected `object`"),
        (load_customers, b'{"tenant_id":"a"}', "a customer needs tenant_id and customer_id"),
        (load_customers, b'{"tenant_id":"a","customer_id":7}', "a customer needs tenant_id and customer_id"),
        (load_customers, b'{"tenant_id":"a","customer_id":"1","x":[]}', "a fact is text, a number or a boolean"),
        (load_customers, b'{"tenant_id":"a\xff"}', "utf-8"),
        (read_examples, b'{"category":"x"}', "text"),
        (read_examples, b'{"text":" "}', "an example needs a text"),
        (read_examples, b'{"text":"x","category":7}', "Expected `str | null`"),
    ],
)
def test_a_malformed_line_is_named(
    write: Callable[[bytes], Path], read: Callable[[Path], Any], line: bytes, words: str
) -> None:
    """File, line and what is wrong, in one line."""
    path = write(b"\n" + line + b"\n")
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("read", "setting"),
    [(load_customers, "TICKETS_ENRICH__CUSTOMERS_FILE"), (read_examples, "TICKETS_CLASSIFY__EXAMPLES_FILE")],
)
def test_a_missing_file_names_the_setting(read: Callable[[Path], Any], setting: str) -> None:
    """So does a folder; the path is in the line."""
    for path in (Path("/no/such/file"), Path("/")):
        with pytest.raises(ConfigError, match=rf"^{setting}: can't read {path}: "):
            read(path)
