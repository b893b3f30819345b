"""Reads the user's files: ticket events, customers and labelled examples."""

from connectors.files.events import read_csv, read_jsonl
from connectors.files.mapping import CsvMapping
from connectors.files.times import TimeReader, zone_of

__all__ = ["CsvMapping", "TimeReader", "read_csv", "read_jsonl", "zone_of"]
