"""The published schema, the types and docs/contract.md agree with each other."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from core.contract import MAX_VERSION, DeleteEvent, Message, TicketEvent, UpsertEvent, json_schema
from core.setting_types import PREFIX
from core.settings import ContractSettings

_DOCS: Final = Path(__file__).parents[2] / "docs"
_PAGE: Final = (_DOCS / "contract.md").read_text()
_REGENERATE: Final = (
    'python -c "import json, core.contract; print(json.dumps(core.contract.json_schema(), indent=2))" '
    "> docs/contract.schema.json"
)

_FORMATS: Final = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    """Checks RFC 3339 with an offset, which JSON Schema leaves to its user."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


_SCHEMA: Final = Draft202012Validator(json_schema(), format_checker=_FORMATS)

_TIMES: Final = st.integers(0, 253_402_300_799_999) | st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1)).map(  # noqa: DTZ001 - the offset follows
    lambda moment: moment.isoformat() + "Z"
)
#: JSON text is UTF-8, so it can't contain a lone surrogate.
_TEXT: Final = st.text(st.characters(codec="utf-8"))
_KEYWORDS: Final = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
_MESSAGES: Final = st.fixed_dictionaries(
    {"author": st.sampled_from(("customer", "agent", "system")), "body": _TEXT, "created_at": _TIMES},
    optional={"public": st.booleans()},
)
_GOOD: Final = st.fixed_dictionaries(
    {
        "op": st.just("upsert"),
        "tenant_id": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
        "ticket_id": st.text(
            st.characters(codec="utf-8", min_codepoint=0x20, exclude_characters="\x7f"), min_size=1, max_size=128
        ),
        "created_at": _TIMES,
        "updated_at": _TIMES,
    },
    optional={
        "version": st.integers(0, MAX_VERSION) | st.none(),
        "subject": _TEXT,
        "body": _TEXT,
        "channel": _KEYWORDS,
        "status": _KEYWORDS,
        "priority": _KEYWORDS | st.none(),
        "category": _KEYWORDS | st.none(),
        "customer_id": st.text(st.characters(codec="utf-8"), min_size=1, max_size=128) | st.none(),
        "tags": st.lists(_KEYWORDS, max_size=4),
        "messages": st.lists(_MESSAGES, max_size=3),
        "attributes": st.dictionaries(_TEXT, _TEXT | st.integers(-(2**60), 2**60) | st.booleans() | st.none()),
        "unlisted": _TEXT,
    },
)
#: Replacement values for a field: mostly invalid, some valid.
_ODD: Final = st.sampled_from(
    (None, True, -1, 0, MAX_VERSION, MAX_VERSION + 1, 2**70, 1.5, "", "x", "x" * 65, "x" * 129, "a/b", "a\n", "\x00")
) | st.sampled_from(([], {}, [""], [1], [{}], {"a": []}, {"a": {}}, "delete", "yesterday", "2026-01-01T00:00:00"))


def test_the_published_schema_is_current() -> None:
    """docs/contract.schema.json is the output of `json_schema`."""
    published = json.loads((_DOCS / "contract.schema.json").read_text())
    assert published == json.loads(json.dumps(json_schema())), f"run: {_REGENERATE}"


def test_the_published_schema_is_valid() -> None:
    """The schema is valid against its own draft."""
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("example", re.findall(r"```json\n(.*?)```", _PAGE, re.DOTALL))
def test_the_pages_examples_are_events(example: str) -> None:
    """Each JSON block of contract.md satisfies the schema and decodes."""
    _SCHEMA.validate(json.loads(example))
    msgspec.json.decode(example, type=TicketEvent)


def test_the_page_has_an_upsert_and_a_delete() -> None:
    """The page has an example of an upsert and one of a delete."""
    found = [json.loads(block)["op"] for block in re.findall(r"```json\n(.*?)```", _PAGE, re.DOTALL)]
    assert found == ["upsert", "delete"]


def test_the_page_names_every_field() -> None:
    """The page lists every field of the types and no other."""
    table = _PAGE.split("## Fields of an upsert")[1].split("## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(listed) == sorted(["op", *UpsertEvent.__struct_fields__])
    for struct in (Message, DeleteEvent):
        for name in struct.__struct_fields__:
            assert f"`{name}`" in table


def test_the_page_names_every_limit_with_its_default() -> None:
    """The page lists every limit of the settings with its default."""
    table = _PAGE.split("## Limits")[1].split("## ")[0]
    limits = {name: field.default for name, field in ContractSettings.model_fields.items() if name.startswith("max_")}
    for name, default in limits.items():
        assert f"| `{PREFIX}CONTRACT__{name.upper()}` | {default} |" in table
    assert table.count(f"`{PREFIX}CONTRACT__") == len(limits)


@settings(max_examples=150, deadline=None)
@given(_GOOD)
def test_both_accept_a_valid_event(event: dict[str, Any]) -> None:
    """Schema and types both accept a valid event."""
    assert _agreed(event) is True


@settings(max_examples=400, deadline=None)
@given(_GOOD, st.data())
def test_schema_and_types_agree_on_an_odd_event(event: dict[str, Any], data: st.DataObject) -> None:
    """With one field changed or left out, schema and types both accept the event, or both reject it."""
    name = data.draw(
        st.sampled_from(sorted({*event, "version", "schema_version", "tags", "messages", "attributes", "op"}))
    )
    if data.draw(st.booleans()):
        event.pop(name, None)
    else:
        event[name] = data.draw(_ODD)
    _agreed(event)


@pytest.mark.parametrize(
    "event",
    [
        [],
        None,
        "upsert",
        {},
        {"op": "merge", "tenant_id": "a", "ticket_id": "1"},
        {"op": "delete", "tenant_id": "a"},
        {"op": "delete", "tenant_id": "a", "ticket_id": "1", "version": "3"},
        {"op": "delete", "tenant_id": "a", "ticket_id": "1", "updated_at": "2026-01-01T00:00:00"},
    ],
    ids=str,
)
def test_both_reject_json_that_is_not_an_event(event: object) -> None:
    """Schema and types both reject JSON that is not an event."""
    assert _agreed(event) is False


def _agreed(event: object) -> bool:
    """Whether both accept `event`; fails if they disagree."""
    try:
        _SCHEMA.validate(event)
    except jsonschema.ValidationError as error:
        by_schema = str(error.message)
    else:
        by_schema = ""
    try:
        msgspec.json.decode(json.dumps(event), type=TicketEvent)
    except msgspec.ValidationError as error:
        by_types = str(error)
    else:
        by_types = ""
    assert bool(by_schema) == bool(by_types), (by_schema, by_types, event)
    return not by_schema
