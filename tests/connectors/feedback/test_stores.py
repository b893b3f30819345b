"""The contract of a feedback store, in SQLite and in DynamoDB."""

import importlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TypeVar, get_args

import pytest

from connectors.dynamodb import Client
from core.errors import TransientError
from core.feedback import Feedback, FeedbackStore, Verdict, Votes
from tests.connectors.feedback.stores import (
    NOW_S,
    Kind,
    create_tables,
    dynamo_feedback,
    given,
    sqlite_feedback,
    verdict,
)
from tests.rigs.dynamodb import dynamodb

#: Opens the same store again, as another process does.
Open = Callable[[], FeedbackStore]

_DAY_S = 86_400

K = TypeVar("K")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with dynamodb() as opened:
        yield opened


@pytest.fixture
def now() -> list[float]:
    return [NOW_S]


@pytest.fixture(params=get_args(Kind))
def opening(request: pytest.FixtureRequest, tmp_path: Path, now: list[float]) -> Open:
    """Opens a store of each kind, which is empty at first."""
    if request.param == "sqlite":
        return lambda: sqlite_feedback(tmp_path, clock=lambda: now[0])
    tables = create_tables(request.getfixturevalue("client"))
    return lambda: dynamo_feedback(tables, clock=lambda: now[0])


@pytest.fixture
def store(opening: Open) -> Iterator[FeedbackStore]:
    with closing(opening()) as opened:
        yield opened


def keep(store: FeedbackStore, feedback: Feedback) -> None:
    """Vote, and again after an outage, as a client does."""
    while True:
        try:
            store.vote(feedback)
        except TransientError:
            continue
        return


def test_an_agent_has_one_vote_on_a_question_and_a_ticket(store: FeedbackStore) -> None:
    """An agent's last verdict on a question and a ticket counts; other agents and questions count separately."""
    store.vote(verdict(given("a1"), "discarded", at_ms=1))
    store.vote(verdict(given("a2", tickets="2"), "sent", at_ms=3))
    store.vote(verdict(given("a3", tickets="2"), "edited", at_ms=2))  # given earlier, and arrived later
    store.vote(verdict(given("a2", tickets="2"), "edited", agent="bob"))
    store.vote(verdict(given("a4", question="q2", tickets="2"), "discarded"))
    assert store.votes("acme", ["1", "2", "3"]) == {"1": Votes(discarded=1), "2": Votes(1, 1, 1)}


def test_an_agent_has_one_verdict_on_an_answer(store: FeedbackStore) -> None:
    """The latest verdict replaces earlier ones, also those that arrive after it; a repeated one changes nothing."""
    for one, at_ms in (("sent", 1), ("discarded", 3), ("discarded", 3), ("edited", 2)):
        store.vote(verdict(given(), one, at_ms=at_ms))  # type: ignore[arg-type]  # they are verdicts
    store.vote(verdict(given(), "sent", agent="bob"))
    assert sorted((one.agent, one.verdict) for one in store.all()) == [("ada", "discarded"), ("bob", "sent")]
    assert store.votes("acme", "12") == {"1": Votes(1, 0, 1), "2": Votes(1, 0, 1)}


def test_of_votes_at_once_one_counts(opening: Open) -> None:
    """If an agent gives several verdicts at once, in several processes, only the latest counts."""
    stores = [opening() for _ in range(4)]

    def vote(worker: int) -> None:
        for number in range(3):
            at_ms = number * 10 + worker
            keep(stores[worker], verdict(given(), get_args(Verdict)[(number + worker) % 3], at_ms=at_ms))
            keep(stores[worker], verdict(given(question="q2"), "sent", agent=str(worker), at_ms=at_ms))

    threads = [threading.Thread(target=vote, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ticket in "12":
        # The latest verdict of ada is that of number 2 and worker 3; the four workers have a vote each.
        assert stores[0].votes("acme", [ticket]) == {ticket: Votes(sent=4, discarded=1)}
    assert len(list(stores[1].all())) == 5
    for opened in stores:
        opened.close()


@pytest.mark.parametrize("seed", range(2))
def test_a_store_behaves_like_a_dictionary(store: FeedbackStore, seed: int) -> None:
    """After any sequence of verdicts, in any order of time, votes and verdicts equal those of a model."""
    rng = Random(seed)
    verdicts: dict[tuple[str, str, str], Feedback] = {}
    votes: dict[tuple[str, str, str, str], Feedback] = {}
    sent: list[Feedback] = []
    for _ in range(25):
        tenant, number, agent = rng.choice("ab"), rng.randrange(4), rng.choice(["ada", "bob"])
        answer = given(f"a{number}", tenant=tenant, question=f"q{number // 2}", tickets="12/"[: 1 + number])
        one = verdict(answer, rng.choice(get_args(Verdict)), agent=agent, at_ms=rng.randrange(30))
        store.vote(one)
        _take(verdicts, (tenant, answer.answer_id, agent), one)
        for ticket in answer.tickets:
            _take(votes, (tenant, ticket, answer.question_key, agent), one)
        if rng.random() < 0.2:
            page = store.unsent(3)
            sent += [row.feedback for row in page]
            store.mark_sent([row.row_id for row in page])
        counts = Counter((key[0], key[1], kept.verdict) for key, kept in votes.items())
        for tenant_id in "ab":
            expected = {
                ticket: Votes(*(counts[tenant_id, ticket, kind] for kind in get_args(Verdict))) for ticket in "12/"
            }
            assert store.votes(tenant_id, "12/") == {one: found for one, found in expected.items() if found != Votes()}
    assert sorted(map(repr, store.all())) == sorted(map(repr, verdicts.values()))
    assert sorted(map(repr, store.all("a"))) == sorted(repr(one) for key, one in verdicts.items() if key[0] == "a")
    sent += [row.feedback for row in store.unsent(99)]
    assert {repr(one) for one in verdicts.values()} <= {repr(one) for one in sent}


def _take(model: dict[K, Feedback], key: K, one: Feedback) -> None:
    if key not in model or model[key].at_ms <= one.at_ms:
        model[key] = one


def test_tenants_share_nothing(store: FeedbackStore) -> None:
    """Tenants see neither each other's answers nor votes, even under the same ids."""
    store.remember(given())
    store.vote(verdict(given(), "sent"))
    assert store.answer("other", "a1") is None
    assert store.votes("other", ["1", "2"]) == {}
    assert list(store.all("other")) == []
    store.vote(verdict(given(tenant="other"), "discarded"))
    assert store.votes("acme", ["1"]) == {"1": Votes(sent=1)}


def test_an_answer_can_be_voted_on_for_a_month(opening: Open, now: list[float]) -> None:
    """An answer is found by every process, and expires after 30 days, whether or not it is still stored."""
    store, other = opening(), opening()
    store.remember(given())
    assert other.answer("acme", "a1") == given()
    assert other.answer("acme", "a2") is None
    now[0] += 30 * _DAY_S
    assert other.answer("acme", "a1") == given()
    now[0] += 1
    assert other.answer("acme", "a1") is None
    store.close()
    other.close()


def test_feedback_is_sent_once_it_is_marked(opening: Open) -> None:
    """Feedback that isn't marked as sent survives a restart, oldest first, and a changed verdict is unsent again."""
    store = opening()
    for number in range(3):
        store.vote(verdict(given(f"a{number}"), "sent", at_ms=number))
    first = store.unsent(2)
    assert [one.feedback.answer.answer_id for one in first] == ["a0", "a1"]
    store.mark_sent([one.row_id for one in first])
    store.vote(verdict(given("a0"), "discarded", at_ms=3))
    store.close()
    with closing(opening()) as again:
        assert [(one.feedback.answer.answer_id, one.feedback.verdict) for one in again.unsent(9)] == [
            ("a2", "sent"),
            ("a0", "discarded"),
        ]
        assert len(list(again.all())) == 3


def test_a_verdict_that_replaces_one_in_flight_stays_unsent(store: FeedbackStore) -> None:
    """If a verdict changes while it is sent, even in the same millisecond, the new one is sent next."""
    store.vote(verdict(given(), "sent"))
    in_flight = store.unsent(9)
    store.vote(verdict(given(), "discarded"))
    store.mark_sent([one.row_id for one in in_flight])
    store.mark_sent([one.row_id for one in in_flight])
    assert [one.feedback.verdict for one in store.unsent(9)] == ["discarded"]


def test_everything_comes_page_by_page(store: FeedbackStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """All verdicts, and those of a tenant, are listed once each over several pages; so are votes and unsent ones."""
    for module in ("sqlite", "dynamodb"):
        monkeypatch.setattr(importlib.import_module(f"connectors.feedback.{module}"), "_PAGE", 7)
    ids = [f"{number:04}" for number in range(30)]
    for number, answer_id in enumerate(ids):
        tenant = "acme" if number % 3 else "other"
        store.vote(verdict(given(answer_id, tenant=tenant, tickets=chr(65 + number)), "sent", at_ms=number))
    assert sorted(one.answer.answer_id for one in store.all()) == ids
    assert sorted(one.answer.answer_id for one in store.all("acme")) == [one for at, one in enumerate(ids) if at % 3]
    assert len(store.votes("acme", [chr(65 + number) for number in range(150)])) == 20
    assert [one.feedback.answer.answer_id for one in store.unsent(20)] == ids[:20]


def test_no_vote_on_a_ticket_is_lost(opening: Open) -> None:
    """Agents who vote on one ticket at once, in several processes, are all counted."""
    stores = [opening() for _ in range(3)]

    def vote(worker: int) -> None:
        for number in range(5):
            keep(stores[worker], verdict(given(f"{worker}{number}", question=f"q{number}"), "sent", agent=str(worker)))

    threads = [threading.Thread(target=vote, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].votes("acme", ["1"]) == {"1": Votes(sent=15)}
    for opened in stores:
        opened.close()


def test_a_lease_has_one_owner(store: FeedbackStore) -> None:
    """Only its owner extends or releases a lease; another process gets it after its end or release."""
    assert store.lease("a", now_ms=0, until_ms=10)
    assert not store.lease("b", now_ms=9, until_ms=20)
    assert store.lease("a", now_ms=9, until_ms=30)
    assert not store.lease("b", now_ms=20, until_ms=40)
    assert store.lease("b", now_ms=30, until_ms=50)
    store.release("a")
    assert not store.lease("a", now_ms=40, until_ms=60)
    store.release("b")
    assert store.lease("a", now_ms=40, until_ms=60)


def test_a_lease_of_a_clock_far_ahead_keeps_nobody_out(store: FeedbackStore) -> None:
    """A lease that ends more than a minute after a new one is taken."""
    assert store.lease("ahead", now_ms=10**9, until_ms=10**9 + 10)
    assert store.lease("b", now_ms=0, until_ms=10)
    assert not store.lease("c", now_ms=9, until_ms=19)
