"""Context and examples from JSONL files: the embedded stand-ins for a customer service and a labelling tool."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import ConfigError
from core.records import Example

_BOM: Final = b"\xef\xbb\xbf"


class CustomerFile:
    """Implements `core.protocols.CustomerDirectory` in memory."""

    def __init__(self, facts: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
        self._facts = facts

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """See `CustomerDirectory`."""
        return self._facts.get((tenant_id, customer_id))


def load_customers(path: Path) -> CustomerFile:
    """Read {tenant_id, customer_id, ...facts} per line; a fact is text, a number or a boolean, and null is none.

    Raises:
        ConfigError: the file is missing, or a line is malformed; the message names it.
    """
    facts = {}
    for number, row in _lines(path, "TICKETS_ENRICH__CUSTOMERS_FILE"):
        tenant_id, customer_id = row.pop("tenant_id", None), row.pop("customer_id", None)
        if not (isinstance(tenant_id, str) and isinstance(customer_id, str)):
            raise ConfigError(f"{path}:{number}: a customer needs tenant_id and customer_id")
        facts[tenant_id, customer_id] = {
            name: _text(value, path, number) for name, value in row.items() if value is not None
        }
    return CustomerFile(facts)


def read_examples(path: Path) -> list[Example]:
    """Read {text, category?, priority?} per line.

    Raises:
        ConfigError: the file is missing, or a line is malformed; the message names it.
    """
    found = []
    for number, row in _lines(path, "TICKETS_CLASSIFY__EXAMPLES_FILE"):
        try:
            found.append(msgspec.convert(row, Example))
        except msgspec.ValidationError as error:
            raise ConfigError(f"{path}:{number}: {error}") from None
        if not found[-1].text.strip():
            raise ConfigError(f"{path}:{number}: an example needs a text")
    return found


def _lines(path: Path, setting: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{setting}: can't read {path}: {(error.strerror or '').lower()}") from None
    for number, line in enumerate(content.removeprefix(_BOM).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield number, msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}:{number}: {error}") from None


def _text(value: Any, path: Path, number: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    raise ConfigError(f"{path}:{number}: a fact is text, a number or a boolean")
