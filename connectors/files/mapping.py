"""Maps the columns of a CSV to the fields of an event."""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from core.contract import UpsertEvent
from core.errors import ConfigError

#: Prefix of an attribute's name in a mapping.
ATTRIBUTE: Final = "attributes."
_FIELDS: Final = frozenset(UpsertEvent.__struct_fields__) - {"messages", "attributes", "schema_version"}
_TEXTS: Final = frozenset({"subject", "body"})
#: In a constant, stands for the number of the row.
_ROW_NUMBER: Final = "{row}"
#: NAME#2 selects the second of several columns with one name, NAME#* all of them.
_WHICH: Final = re.compile(r"(?P<name>.*)#(?P<which>[1-9][0-9]{0,3}|\*)", re.DOTALL)


class CsvMapping(Struct, frozen=True):
    """The column, or the constant, that each field of an event is taken from."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    option: str = "--map"

    @classmethod
    def parse(cls, items: Sequence[str], *, option: str = "--map") -> "CsvMapping":
        """Parse items like FIELD=COLUMN and FIELD:=VALUE; `{row}` in a VALUE is replaced by the row's number, from 1.

        If several columns have one name, COLUMN#2 is the second and COLUMN#* is all of them. `option` is where the user
        writes the items, for messages.

        Raises:
            ConfigError: an item has neither form, names an unknown field, or maps a field twice.
        """
        columns: dict[str, str] = {}
        constants: dict[str, str] = {}
        for item in items:
            field, equals, right = item.partition("=")
            target = constants if field.endswith(":") else columns
            field = field.removesuffix(":").strip()
            if not equals or not field:
                raise ConfigError(f"{option} {item}: write FIELD=COLUMN, or FIELD:=VALUE for one value in all rows")
            if field not in _FIELDS and not field.startswith(ATTRIBUTE):
                known = ", ".join(sorted(_FIELDS))
                raise ConfigError(
                    f"{option} {item}: events have no field {field}; the fields are {known} and attributes.NAME"
                )
            if field in columns or field in constants:
                raise ConfigError(f"{option} {item}: {field} is mapped twice")
            target[field] = right
        return cls(columns, constants, option)


class RowReader:
    """Takes an event's fields from a row."""

    def __init__(self, mapping: CsvMapping, header: Sequence[str], name: str) -> None:
        """A column that is named like a field maps to it unless the mapping says otherwise.

        Raises:
            ConfigError: a mapped column is missing or ambiguous; or tenant_id or the text is not mapped.
        """
        self._constants, option = mapping.constants, mapping.option
        wanted = {column: column for column in header if column in _FIELDS and column not in mapping.constants}
        wanted |= mapping.columns
        found = {field: _places(field, column, header, name, option) for field, column in wanted.items()}
        missing = sorted({wanted[field] for field, places in found.items() if not places})
        if missing:
            raise ConfigError(f"{name} has no column {', '.join(missing)}; it has {', '.join(header)}")
        named = {*wanted, *mapping.constants}
        if "tenant_id" not in named:
            raise ConfigError(f"{name}: no tenant_id; add {option} tenant_id:=NAME or {option} tenant_id=COLUMN")
        if not named & _TEXTS:
            raise ConfigError(
                f"{name}: no subject or body; add {option} body=COLUMN, where COLUMN is one of {', '.join(header)}"
            )
        self._places = found

    def read(self, row: Sequence[str], number: int) -> dict[str, str]:
        """The row's value for each field. An unmapped ticket_id is derived from the row's number and content."""
        given = {field: value.replace(_ROW_NUMBER, str(number)) for field, value in self._constants.items()}
        for field, places in self._places.items():
            values = [value for value in (row[place].strip() for place in places) if value]
            given[field] = ("," if field == "tags" else "\n\n").join(values)
        if "ticket_id" not in given:
            content = "\x1f".join((str(number), *row)).encode()
            given["ticket_id"] = f"row-{number}-{blake2b(content, digest_size=6).hexdigest()}"
        return given


def _places(field: str, column: str, header: Sequence[str], name: str, option: str) -> list[int]:
    """The places of the columns that `column` names; empty if the header has none."""
    places = [place for place, known in enumerate(header) if known == column]
    if len(places) > 1:
        raise ConfigError(
            f"{name} has {len(places)} columns named {column}; add {option} '{field}={column}#1' for the first, "
            f"or '{field}={column}#*' for all of them"
        )
    match = None if places else _WHICH.fullmatch(column)
    if match is None:
        return places
    places = [place for place, known in enumerate(header) if known == match["name"]]
    return places if match["which"] == "*" else places[int(match["which"]) - 1 :][:1]
