"""The customer directory from a JSONL file."""

from pathlib import Path

import pytest

from connectors.files.customers import load_customers
from core.errors import ConfigError


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "customers.jsonl"
    path.write_bytes(content)
    return path


def test_a_customer_is_found_by_tenant_and_id(tmp_path: Path) -> None:
    """Customers of two tenants may have the same id, and an unknown customer is None."""
    rows = b'{"tenant_id":"a","customer_id":"1","plan":"pro"}\n\n{"tenant_id":"b","customer_id":"1","plan":"free"}\n'
    customers = load_customers(_write(tmp_path, rows))
    assert customers.lookup("a", "1") == {"plan": "pro"}
    assert customers.lookup("b", "1") == {"plan": "free"}
    assert customers.lookup("a", "2") is None


def test_facts_become_text(tmp_path: Path) -> None:
    """Numbers stay as they are written, booleans become yes and no, and null is left out."""
    row = b'\xef\xbb\xbf{"tenant_id":"a","customer_id":"1","seats":12,"vip":true,"trial":false,"rate":0.5,"end":null}'
    customers = load_customers(_write(tmp_path, row))
    assert customers.lookup("a", "1") == {"seats": "12", "vip": "yes", "trial": "no", "rate": "0.5"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"tenant_id":"a"}', "a customer needs tenant_id and customer_id"),
        (b'{"tenant_id":"a","customer_id":7}', "a customer needs tenant_id and customer_id"),
        (b'{"tenant_id":"a","customer_id":"1","x":[]}', "x is a list or an object, but a fact is a string, number or"),
        (b"[]", "expected `object`"),
    ],
)
def test_a_malformed_customer_is_named(tmp_path: Path, line: bytes, words: str) -> None:
    """The error gives the file, the line and the mistake in one line."""
    path = _write(tmp_path, b"\n" + line + b"\n")
    with pytest.raises(ConfigError) as caught:
        load_customers(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert words in str(caught.value)


def test_a_missing_file_names_the_setting() -> None:
    """The error names the variable and the path."""
    with pytest.raises(ConfigError, match=r"^TICKETS_ENRICH__CUSTOMERS_FILE: can't read /no/such/file: no such file"):
        load_customers(Path("/no/such/file"))
