"""Maps raw records, each one JSON object, to events by the mapping of CSV files."""

import msgspec

from connectors.files.events import CsvEvents, jsonl_record
from connectors.files.lines import LineError, decode_line
from connectors.files.mapping import RowReader
from connectors.files.parsing import CsvFormat
from connectors.kafka.producer import Outgoing
from core.errors import ConfigError

_OBJECT: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


class RawObjects:
    """Makes events of raw objects. The fields of an object are a row's columns."""

    def __init__(self, form: CsvFormat, *, topic: str) -> None:
        self._form = form
        self._topic = topic

    def record(self, value: bytes, *, at_ms: int) -> Outgoing:
        """The event of an object. An object with `op` is an event already, and stays as it is.

        Args:
            value: the object in JSON.
            at_ms: the record's own time, for times that the object lacks.

        Raises:
            LineError: it isn't a JSON object, or can't be mapped.
        """
        given = decode_line(value, _OBJECT)
        if "op" in given:
            return jsonl_record(value, topic=self._topic)
        mapping = self._form.mapping
        cells = dict.fromkeys(mapping.columns.values(), "") | {name: _text(one) for name, one in given.items()}
        try:
            reader = RowReader(mapping, list(cells), "the record")
        except ConfigError as error:
            raise LineError("bad_field", str(error)) from None
        events = CsvEvents(reader, topic=self._topic, times=self._form.times, now_ms=at_ms)
        return events.record(list(cells.values()), 1)


def _text(value: object) -> str:
    """A value as a cell has it: text, a list of tags, or JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    return msgspec.json.encode(value).decode()
