"""The feedback store in SQLite: durable, per tenant, one vote per agent."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from connectors.feedback.sqlite import SqliteFeedback, open_feedback
from core.errors import ConfigError, TransientError
from core.feedback import Feedback, GivenAnswer, Verdict, Votes

_DAY_S = 86_400
_NOW_S = 1_800_000_000.0


def _answer(answer_id: str = "a1", *, tenant: str = "acme", question: str = "q1", tickets: str = "12") -> GivenAnswer:
    return GivenAnswer(
        tenant_id=tenant,
        answer_id=answer_id,
        agent="asker",
        question="Why?",
        question_key=question,
        text="Because.",
        tickets=tuple(tickets),
        model="extractive",
        at_ms=int(_NOW_S * 1000),
    )


def _feedback(answer: GivenAnswer, verdict: Verdict, *, agent: str = "ada", at_ms: int = 1) -> Feedback:
    return Feedback(answer=answer, agent=agent, verdict=verdict, at_ms=at_ms)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The store's file."""
    return tmp_path / "new" / "feedback.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteFeedback]:
    """An empty store."""
    found = open_feedback(path, clock=lambda: _NOW_S)
    yield found
    found.close()


def test_an_agent_has_one_vote_on_a_question_and_a_ticket(store: SqliteFeedback) -> None:
    """An agent's last verdict on a question and a ticket counts; other agents and questions count separately."""
    store.vote(_feedback(_answer("a1"), "discarded", at_ms=1))
    store.vote(_feedback(_answer("a2", tickets="2"), "sent", at_ms=3))
    store.vote(_feedback(_answer("a3", tickets="2"), "edited", at_ms=2))  # given earlier, and arrived later
    store.vote(_feedback(_answer("a2", tickets="2"), "edited", agent="bob"))
    store.vote(_feedback(_answer("a4", question="q2", tickets="2"), "discarded"))
    assert store.votes("acme", ["1", "2", "3"]) == {"1": Votes(discarded=1), "2": Votes(1, 1, 1)}


def test_tenants_share_nothing(store: SqliteFeedback) -> None:
    """Tenants see neither each other's answers nor votes, even under the same ids."""
    store.remember(_answer())
    store.vote(_feedback(_answer(), "sent"))
    assert store.answer("other", "a1") is None
    assert store.votes("other", ["1", "2"]) == {}
    assert list(store.all("other")) == []
    store.vote(_feedback(_answer(tenant="other"), "discarded"))
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}


def test_an_answer_can_be_voted_on_for_a_month(path: Path) -> None:
    """An answer expires after 30 days, and a later answer removes it from the file."""
    now = [_NOW_S]
    store = open_feedback(path, clock=lambda: now[0])
    store.remember(_answer())
    assert store.answer("acme", "a1") == _answer()
    now[0] += 31 * _DAY_S
    assert store.answer("acme", "a1") is None
    store.close()
    again = open_feedback(path, clock=lambda: now[0])
    again.remember(msgspec.structs.replace(_answer("a2"), at_ms=int(now[0] * 1000)))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT answer_id FROM answers").fetchall() == [("a2",)]
    again.close()


def test_feedback_is_sent_once_it_is_marked(store: SqliteFeedback, path: Path) -> None:
    """Feedback that isn't marked as sent survives a restart, oldest first, and a changed verdict is unsent again."""
    for number in range(3):
        store.vote(_feedback(_answer(f"a{number}"), "sent"))
    first = store.unsent(2)
    assert [one.feedback.answer.answer_id for one in first] == ["a0", "a1"]
    store.mark_sent([one.position for one in first])
    store.vote(_feedback(_answer("a0"), "discarded", at_ms=2))
    store.close()
    again = open_feedback(path)
    assert [(one.feedback.answer.answer_id, one.feedback.verdict) for one in again.unsent(9)] == [
        ("a2", "sent"),
        ("a0", "discarded"),
    ]
    assert len(list(again.all())) == 3
    again.close()


def test_all_feedback_comes_page_by_page(store: SqliteFeedback) -> None:
    """Feedback of one tenant or of all is listed completely and in order, over several pages."""
    for number in range(1_100):
        store.vote(_feedback(_answer(f"{number:04}", tenant="acme" if number % 2 else "other"), "sent"))
    assert [one.answer.answer_id for one in store.all()] == [f"{number:04}" for number in range(1_100)]
    assert {one.answer.tenant_id for one in store.all("acme")} == {"acme"}
    assert len(store.votes("acme", [str(n) for n in range(2_000)])) == 2


def test_threads_may_vote_at_once(store: SqliteFeedback) -> None:
    """No vote is lost."""

    def vote(agent: str) -> None:
        for number in range(20):
            store.vote(_feedback(_answer(f"{agent}{number}", question=f"q{number}"), "sent", agent=agent))

    threads = [threading.Thread(target=vote, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=80)}


def test_the_file_is_this_users_own(store: SqliteFeedback, path: Path) -> None:
    """Other users of the machine may read neither the file nor its folder."""
    store.remember(_answer())
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
    monkeypatch.setattr("connectors.feedback.sqlite._BUSY_S", 0.05)
    quick = open_feedback(path)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="locked"):
            quick.vote(_feedback(_answer(), "sent"))
        other.execute("ROLLBACK")
    assert store.votes("acme", ["1"]) == {}
    quick.vote(_feedback(_answer(), "sent"))
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}
    quick.close()
