"""The pages of docs/ say what the code does."""

import pytest

from tests.docs.tables import DOCS, PARTS, rendered


@pytest.mark.parametrize("page", PARTS)
def test_the_tables_are_those_of_the_code(page: str) -> None:
    """Settings, metrics, exit codes and sizes are generated; `make docs` renews them."""
    assert (DOCS / page).read_text() == rendered(page)
