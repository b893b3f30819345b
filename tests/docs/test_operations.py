"""docs/operations.md says what the code does."""

from tests.docs.tables import FILE, rendered


def test_the_tables_are_those_of_the_code() -> None:
    """Settings, metrics and exit codes in the document are generated; `python -m tests.docs.tables` renews them."""
    text = FILE.read_text()
    assert text == rendered(text)
