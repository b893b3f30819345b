"""The generated parts of docs/ are up to date."""

import pytest

from tests.docs.tables import DOCS, PARTS, rendered


@pytest.mark.parametrize("page", PARTS)
def test_the_tables_are_those_of_the_code(page: str) -> None:
    """The tables of settings, metrics, exit codes and sizes are those of the code; `make docs` writes them."""
    assert (DOCS / page).read_text() == rendered(page)
