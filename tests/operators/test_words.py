"""The sample of words that the language is detected from."""

import time
from typing import Any, Final

import pytest

from operators.words import own_words
from tests.operators.samples import message, ticket

_GERMAN: Final = "Der Drucker druckt nur noch leere Seiten."


def _words(**content: Any) -> str:
    made = ticket(**content).content
    assert made is not None
    return own_words(made)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Der Export bricht ab: java.lang.NullPointerException at Main.run(Main.java:17)", ["Der", "Export", "bricht"]),
        ("siehe https://example.com/a/b?c=d und [EMAIL], C:\\temp\\x oder /var/log/syslog", ["siehe", "und", "oder"]),
        ("snake_case camelCase(x) a::b <b>fett</b> #4711 @ada $HOME", []),
        ("Größe 12, z. B. 3,5 cm - geht's?", ["Größe", "12,", "z.", "B.", "3,5", "cm", "-", "geht's?"]),
        ("打开Excel时报错NullPointerException(42)，请问", ["打开Excel时报错", "，请问"]),
    ],
)
def test_code_is_not_a_word(text: str, words: list[str]) -> None:
    """Addresses, paths, identifiers, tags and placeholders are left out; numbers and other scripts stay."""
    found = _words(body=text).split()
    assert [word for word in found if word not in {"ab:", "at"}] == words


@pytest.mark.parametrize(
    "line",
    [
        "\tat com.example.Export.run(Export.java:42)",
        "Caused by: java.net.ConnectException: Connection refused by the host",
        "ValueError: could not convert the value",
        '  File "/srv/main.py", line 42, in run',
        "2024-01-05 08:12:33,123 ERROR [main] Connection refused while reading",
        "[08:12:33] the request timed out",
        "WARN: the request is retried",
        "$ make install the package",
        "SELECT subject FROM tickets WHERE status = 'open'",
        "    for row in rows:",
        "public static void main(String args) {",
    ],
)
def test_a_line_of_a_program_is_left_out(line: str) -> None:
    """Logs, stack traces, shells and statements are mostly English, whoever sends them."""
    assert _words(body=f"{_GERMAN}\n{line}") == _GERMAN


def test_a_ticket_of_nothing_but_such_lines_keeps_them() -> None:
    """`WARN: the request is retried` may be the whole ticket."""
    assert _words(subject="WARN: it is slow", body="WARN: the request (of 12) is retried") != ""


def test_a_long_ticket_is_sampled_all_over() -> None:
    """Each quarter of the ticket is in the sample, which stays short."""
    body = "\n".join(f"{part} " * 20 for part in ("one", "two", "three", "four") for _ in range(10))
    found = _words(body=body)
    assert all(part in found for part in ("one", "two", "three", "four"))
    assert len(found) <= 4 * 160 + 3


def test_a_window_that_begins_within_a_log_line_begins_after_it() -> None:
    """A window that begins inside a log line starts after it, because a log line is recognised by its beginning."""
    log = "2024-01-05 08:12:33,123 ERROR connection refused while the file was opened by another process\n"
    assert set(_words(body=_GERMAN + "\n" + log * 40 + _GERMAN).split("\n")) == {_GERMAN}


def test_the_customers_messages_count_and_an_agents_only_without_them() -> None:
    """Agents' messages are sampled only if the customer wrote nothing."""
    agent, customer = message("We are looking into it."), message(_GERMAN, author="customer")
    assert _words(body="", messages=(agent, customer)) == _GERMAN
    assert _words(body="", messages=(agent,)) == agent.body


@pytest.mark.parametrize(
    "piece", ["a", " ", "\n", "a.", "_", "<", "(", "click ", "\u3002", ". ", "at ", "e-mail ", "a" * 159 + "\n"]
)
def test_a_megabyte_of_one_piece_is_sampled_at_once(piece: str) -> None:
    """The cost doesn't depend on the length of the ticket, except for joining its texts."""
    made = ticket(body=piece * (1_000_000 // len(piece))).content
    assert made is not None
    began = time.thread_time()
    own_words(made)
    assert time.thread_time() - began < 0.1
