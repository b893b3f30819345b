"""Reads the user's files: ticket events, customers and labelled examples."""

from connectors.files.events import CsvMapping, read_csv, read_jsonl

__all__ = ["CsvMapping", "read_csv", "read_jsonl"]
