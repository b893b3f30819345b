"""The file of feedback: private, tidy, and refused if it is another program's."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from connectors.feedback import sqlite as module
from connectors.feedback.sqlite import SqliteFeedback, open_feedback
from core.errors import ConfigError, TransientError
from core.feedback import Votes
from tests.connectors.feedback.stores import NOW_S, given, verdict

_DAY_S = 86_400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The store's file."""
    return tmp_path / "new" / "feedback.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteFeedback]:
    """An empty store."""
    found = open_feedback(path, clock=lambda: NOW_S)
    yield found
    found.close()


def test_a_later_answer_removes_expired_ones(path: Path) -> None:
    """An answer that has expired is removed from the file when a later one is kept."""
    now = [NOW_S]
    store = open_feedback(path, clock=lambda: now[0])
    store.remember(given())
    now[0] += 31 * _DAY_S
    store.close()
    again = open_feedback(path, clock=lambda: now[0])
    again.remember(msgspec.structs.replace(given("a2"), at_ms=int(now[0] * 1000)))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT answer_id FROM answers").fetchall() == [("a2",)]
    again.close()


def test_feedback_comes_in_the_order_in_which_it_was_given(
    store: SqliteFeedback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feedback of one tenant or of all is listed in the order in which it was given, over several pages."""
    monkeypatch.setattr(module, "_PAGE", 50)
    for number in range(110):
        store.vote(verdict(given(f"{number:04}", tenant="acme" if number % 2 else "other"), "sent"))
    assert [one.answer.answer_id for one in store.all()] == [f"{number:04}" for number in range(110)]
    assert {one.answer.tenant_id for one in store.all("acme")} == {"acme"}
    assert len(store.votes("acme", [str(n) for n in range(2_000)])) == 2


def test_the_file_is_this_users_own(store: SqliteFeedback, path: Path) -> None:
    """Other users of the machine may read neither the file nor its folder."""
    store.remember(given())
    assert [oct(one.stat().st_mode & 0o077) for one in (path, path.parent)] == ["0o0", "0o0"]


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """Another program's database, a text and a folder are each refused in a line that names the setting."""
    other, text = tmp_path / "other.db", tmp_path / "text"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE things (id)")
    text.write_text("hello " * 1_000)
    for wrong in (other, text, tmp_path):
        with pytest.raises(ConfigError, match="TICKETS_RAG__FEEDBACK_FILE"):
            open_feedback(wrong)


def test_a_locked_file_is_an_outage(path: Path, store: SqliteFeedback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vote on a locked file raises an outage and writes nothing, so it can be repeated."""
    monkeypatch.setattr(module, "_BUSY_S", 0.05)
    quick = open_feedback(path)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="locked"):
            quick.vote(verdict(given(), "sent"))
        other.execute("ROLLBACK")
    assert store.votes("acme", ["1"]) == {}
    quick.vote(verdict(given(), "sent"))
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}
    quick.close()
