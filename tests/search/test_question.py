"""Reading of questions: filters, phrases and pasted text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from core.index import SearchQuery
from search.question import parse_moment, read_question

QUERY = SearchQuery(tenant_id="acme")


def test_filters_are_taken_out_of_the_text() -> None:
    """Each filter narrows its field of the query, and the rest of the question stays."""
    read = read_question("card status:open customer:C-17 category:billing language:de declined role:agent", QUERY)
    assert read.text == "card declined"
    assert (read.query.status, read.query.customer_id) == (("open",), ("C-17",))
    assert (read.query.category, read.query.language, read.query.role) == (("billing",), ("de",), ("agent",))


def test_times_and_solved_are_filters() -> None:
    """`after` includes its time, `before` doesn't, and `solved` takes yes or no."""
    read = read_question("refund after:2026-01-01 before:2026-01-31 solved:yes", QUERY)
    assert read.query.updated_after_ms == 1_767_225_600_000
    assert read.query.updated_before_ms == 1_769_817_600_000
    assert read.query.solved is True


def test_a_value_may_be_quoted_or_a_list() -> None:
    """A quoted value holds spaces and commas; outside quotes commas separate values of which any matches."""
    assert read_question('why customer:"Doe, Ada"', QUERY).query.customer_id == ("Doe, Ada",)
    assert read_question('why category:"card arrival"', QUERY).query.category == ("card arrival",)
    assert read_question("why status:open,pending", QUERY).query.status == ("open", "pending")


@pytest.mark.parametrize("text", ["error:timeout in prod", "see https://a.example/x", "Status:500 again", "10:30 call"])
def test_an_unknown_name_stays_text(text: str) -> None:
    """Only the lower-case names of filters are filters."""
    assert read_question(text, QUERY).text == text
    assert read_question(text, QUERY).query == QUERY


def test_a_filter_in_quotes_is_a_phrase() -> None:
    """A filter in quotes is searched for as a phrase."""
    read = read_question('log says "status:open"', QUERY)
    assert (read.text, read.phrases, read.query) == ("log says status:open", ("status:open",), QUERY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("why before:yesterday", r"before: 'yesterday' is not a date or time; write 2026-01-31"),
        ("why solved:maybe", "write solved:yes or solved:no"),
        ("why role:boss", "write role: with customer, agent or system"),
        ("why language:German", "write the code of ISO 639-1"),
        ('why status:""', "write status:VALUE"),
        ("status:open", "the question is empty"),
        (" \n" * 200, "the question is empty"),
        ("\u200b\ufeff", "the question is empty"),
    ],
)
def test_a_bad_value_is_one_line(text: str, message: str) -> None:
    """A value that a filter can't have is an error that says what to write."""
    with pytest.raises(ConfigError, match=message) as error:
        read_question(text, QUERY)
    assert "\n" not in str(error.value)


def test_filters_in_the_text_never_widen_the_query() -> None:
    """Filters in the text are intersected with the caller's, and a contradiction is an error."""
    caller = SearchQuery(tenant_id="acme", status=("open", "new"), updated_after_ms=2_000_000_000_000, solved=False)
    read = read_question("why status:open,closed after:2026-01-01", caller)
    assert (read.query.status, read.query.updated_after_ms) == (("open",), 2_000_000_000_000)
    for text in ("why status:closed", "why solved:yes"):
        with pytest.raises(ConfigError, match="contradicts"):
            read_question(text, caller)


def test_a_value_is_redacted_as_tickets_are() -> None:
    """An address in a filter becomes the placeholder that the index has."""
    assert read_question("why customer:ada@example.com", QUERY).query.customer_id == ("[EMAIL]",)


@pytest.mark.parametrize(
    ("text", "phrases", "required"),
    [
        ('"connection refused"', ("connection refused",), True),
        ("timeout “connection  refused”", ("connection refused",), True),
        ('the mail gateway says "relay denied" since this morning', ("relay denied",), False),
        ('a 24" screen and a 27" one', (), False),
        ('an open " quote', (), False),
        ("画面に“接続拒否”と出て、何度やり直してもログインできません", ("接続拒否",), False),
        ("「接続拒否」エラー", ("接続拒否",), True),
    ],
)
def test_quoted_phrases(text: str, phrases: tuple[str, ...], required: bool) -> None:
    """Phrases are required if they are at least half of the question's words; inches are no quotes."""
    read = read_question(text, QUERY)
    assert (read.phrases, read.required) == (phrases, required)


@pytest.mark.parametrize(("text", "long"), [("first line\nstatus:open", False), ("x" * 301 + " status:open", True)])
def test_pasted_text_has_no_filters(text: str, long: bool) -> None:
    """A question of several lines, or a long one, is text alone."""
    read = read_question(text, QUERY)
    assert (read.text, read.query, read.long) == (text, QUERY, long)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Reading gives a question with text or a ConfigError, whatever was typed, and tenant and limit stay."""
    try:
        read = read_question(text, QUERY)
    except ConfigError:
        return
    assert (read.query.tenant_id, read.query.limit, read.query.public_only) == ("acme", 10, False)


def test_a_time_names_its_option() -> None:
    """The error of a time begins with the name of its option."""
    with pytest.raises(ConfigError, match=r"^--after: 'noon' is not"):
        parse_moment("noon", "--after")
