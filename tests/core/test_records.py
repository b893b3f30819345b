"""The bounds of a search."""

import msgspec
import pytest

from core.errors import ConfigError
from core.index import MAX_HITS, SearchQuery

_LATE = 10**15


@pytest.mark.parametrize("limit", [-(10**30), -1, 0, MAX_HITS + 1, 2**63, 10**30])
def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    """The error is one line that says the bounds."""
    with pytest.raises(ConfigError, match=rf"^a search can find 1 to 1,000 tickets, not {limit:,}$"):
        SearchQuery(tenant_id="acme", limit=limit)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"status": tuple(map(str, range(101)))}, "at most 100 values"),
        ({"updated_after_ms": _LATE}, "beyond the year 9999"),
        ({"updated_before_ms": -_LATE}, "beyond the year 9999"),
        ({"tenant_id": "ac\udcffme"}, "not valid Unicode"),
        ({"channel": ("email", "\udc00")}, "not valid Unicode"),
    ],
)
def test_a_query_that_an_engine_would_fail_on_is_refused(query: dict[str, object], words: str) -> None:
    """Filters with too many values, times without a date, and lone surrogates are one-line errors."""
    with pytest.raises(ConfigError, match=words):
        SearchQuery(**{"tenant_id": "acme", **query})  # type: ignore[arg-type]


def test_a_query_from_json_is_checked_too() -> None:
    """A decoded query has passed the same checks, and one within the bounds is unchanged."""
    with pytest.raises(ConfigError, match="1 to 1,000"):
        msgspec.json.decode(b'{"tenant_id":"acme","limit":-1}', type=SearchQuery)
    query = SearchQuery(tenant_id="acme", limit=MAX_HITS, status=("open",) * 100, updated_after_ms=0)
    assert msgspec.json.decode(msgspec.json.encode(query), type=SearchQuery) == query
