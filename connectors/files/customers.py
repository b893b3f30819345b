"""A customer directory in memory, loaded from a JSONL file instead of a customer database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from connectors.files.lines import json_rows
from core.errors import ConfigError

_DECODER: Final = msgspec.json.Decoder(dict[str, object])


class CustomerFile:
    """Implements `core.protocols.CustomerDirectory` in memory."""

    def __init__(self, facts: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
        self._facts = facts

    def lookup(self, tenant_id: str, customer_id: str) -> Mapping[str, str] | None:
        """See `CustomerDirectory`."""
        return self._facts.get((tenant_id, customer_id))


def load_customers(path: Path) -> CustomerFile:
    """Read {tenant_id, customer_id, ...facts} per line. A fact is a string, number or boolean; null is left out.

    Raises:
        ConfigError: the file can't be read, or a line is malformed; the message gives the file and line.
    """
    facts = {}
    for number, row in json_rows(path, _DECODER, setting="TICKETS_ENRICH__CUSTOMERS_FILE"):
        tenant_id, customer_id = row.pop("tenant_id", None), row.pop("customer_id", None)
        if not (isinstance(tenant_id, str) and isinstance(customer_id, str)):
            raise ConfigError(f"{path}:{number}: a customer needs tenant_id and customer_id, both strings")
        facts[tenant_id, customer_id] = {
            name: _text(value, f"{path}:{number}: {name}") for name, value in row.items() if value is not None
        }
    return CustomerFile(facts)


def _text(value: object, where: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    raise ConfigError(f"{where} is a list or an object, but a fact is a string, number or boolean")
