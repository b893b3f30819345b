"""Files of the user's: ticket events, customers, labelled examples."""

from connectors.files.events import CsvMapping, read_csv, read_jsonl

__all__ = ["CsvMapping", "read_csv", "read_jsonl"]
