"""Labelled tickets from JSONL and CSV."""

import io
import json
from collections.abc import Sequence
from functools import partial

import pytest

from connectors.files.labelled import read_labelled_csv, read_labelled_jsonl
from connectors.files.mapping import CsvMapping
from core.errors import ConfigError
from core.records import Record, Ticket
from core.settings import ContractSettings
from operators.decode import decode


def _tickets(records: Sequence[Record]) -> list[Ticket]:
    """Each record decodes as a worker decodes it."""
    found = partial(decode, settings=ContractSettings())(records)
    assert all(isinstance(item, Ticket) for item in found), found
    return [item for item in found if isinstance(item, Ticket)]


def test_events_and_examples_may_be_mixed() -> None:
    """An event passes as it is; an example becomes the body of one; the offset is the line's number."""
    event = {
        "op": "upsert",
        "tenant_id": "acme",
        "ticket_id": "7",
        "version": 2,
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "body": "card lost",
        "category": "card",
    }
    lines = [json.dumps(event), "", json.dumps({"text": "Où est mon colis?", "priority": "high"})]
    records = list(read_labelled_jsonl(io.BytesIO("\n".join(lines).encode()), name="f"))
    first, second = (ticket.content for ticket in _tickets(records))
    assert first is not None
    assert (first.body, first.category, first.priority) == ("card lost", "card", None)
    assert second is not None
    assert (second.body, second.category, second.priority) == ("Où est mon colis?", None, "high")
    assert [record.origin.offset for record in records] == [1, 3]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{}", "neither a ticket event"),
        ('{"text": " "}', "neither a ticket event"),
        ('{"text": 7}', "expected `str | null`"),
        ("nonsense", "not a JSON object"),
    ],
)
def test_a_line_that_is_neither_is_named(line: str, words: str) -> None:
    """The error gives file, line and mistake."""
    with pytest.raises(ConfigError, match=r"^f:2: ") as caught:
        list(read_labelled_jsonl(io.BytesIO(f"\n{line}\n".encode()), name="f"))
    assert words in str(caught.value)


def test_a_csv_needs_no_tenant() -> None:
    """Rows are read as `produce` reads them, and the tenant may be left out or mapped."""
    rows = b"text,team,firm\nmy card is lost,card,acme\nwhere is it,delivery,\n"
    mapping = CsvMapping.parse(["body=text", "category=team"])
    records = list(read_labelled_csv(io.BytesIO(rows), mapping, name="f"))
    assert [t.content and t.content.category for t in _tickets(records)] == ["card", "delivery"]
    assert [record.origin.offset for record in records] == [1, 2]
    mapped = CsvMapping.parse(["body=text", "tenant_id:=acme"])
    assert [t.tenant_id for t in _tickets(list(read_labelled_csv(io.BytesIO(rows), mapped, name="f")))] == ["acme"] * 2
