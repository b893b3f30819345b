"""The formats of files and records as the settings describe them."""

from collections.abc import Callable
from typing import Final

from connectors.files.mapping import CsvMapping
from connectors.files.parsing import CsvFormat, CsvParser, JsonlParser, Parser
from connectors.files.times import TimeReader, zone_of
from core.producing import Checkpoint
from core.service_settings import ProducerSettings

_MAP: Final = "TICKETS_PRODUCER__MAP"
_CSV: Final = (".csv", ".csv.gz")


def csv_format(settings: ProducerSettings) -> CsvFormat:
    """Mapping and times of CSV files and of raw records.

    Raises:
        ConfigError: mapping or zone is wrong.
    """
    items = [item.strip() for item in settings.map.split(";") if item.strip()]
    return CsvFormat(
        CsvMapping.parse(items, option=_MAP),
        TimeReader(day_first=settings.day_first, zone=zone_of(settings.zone, "TICKETS_PRODUCER__ZONE")),
    )


def parsers(settings: ProducerSettings, *, topic: str, max_bytes: int) -> Callable[[Checkpoint], Parser]:
    """Returns a factory of parsers, which chooses by the file's format.

    Raises:
        ConfigError: mapping or zone is wrong.
    """
    form = csv_format(settings)

    def new_parser(checkpoint: Checkpoint) -> Parser:
        is_csv = checkpoint.name.lower().endswith(_CSV) if settings.format == "auto" else settings.format == "csv"
        if not is_csv:
            return JsonlParser(topic=topic)
        return CsvParser(
            form,
            topic=topic,
            name=checkpoint.name,
            rows=checkpoint.rows,
            first_ms=checkpoint.first_ms,
            max_bytes=max_bytes,
        )

    return new_parser
