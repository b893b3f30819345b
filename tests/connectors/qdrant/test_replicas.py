"""Reads that no single replica can falsify."""

from collections.abc import Mapping, Sequence

import pytest
from qdrant_client import models

from connectors.qdrant.replicas import Page, read_agreed
from core.errors import TransientError

MAJORITY, QUORUM = models.ReadConsistencyType.MAJORITY, models.ReadConsistencyType.QUORUM


class _Replicas:
    """Answers from pages by consistency, one after another; the last one is repeated. Without a page it fails."""

    def __init__(self, pages: Mapping[models.ReadConsistencyType | None, Sequence[Page]]) -> None:
        self._pages = {consistency: list(answers) for consistency, answers in pages.items()}
        self.asked: list[models.ReadConsistencyType | None] = []

    def read(self, consistency: models.ReadConsistencyType | None) -> Page:
        self.asked.append(consistency)
        answers = self._pages.get(consistency)
        if not answers:
            raise TransientError("not enough active replicas")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _page(**versions: int) -> Page:
    return [models.Record(id=name, payload={"version": version}) for name, version in versions.items()], None


def test_all_replicas_are_asked_at_first() -> None:
    """While all replicas answer, the records that most of them hold are returned after one read."""
    replicas = _Replicas({MAJORITY: [_page(a=1)]})
    assert read_agreed(replicas.read) == _page(a=1)
    assert replicas.asked == [MAJORITY]


def test_a_quorum_is_asked_while_a_replica_is_down() -> None:
    """A replica that is down doesn't keep the others' records from being read."""
    replicas = _Replicas({QUORUM: [_page(a=2)], None: [_page(a=1)]})
    assert read_agreed(replicas.read) == _page(a=2)


def test_replicas_that_differ_are_asked_again() -> None:
    """A record that a quorum leaves out because a write is in flight isn't taken for missing."""
    replicas = _Replicas({QUORUM: [_page(a=1), _page(a=1, b=2)], None: [_page(a=1, b=1)]})
    assert read_agreed(replicas.read) == _page(a=1, b=2)


def test_replicas_that_go_on_differing_are_an_outage() -> None:
    """Records on which no quorum agrees are never returned, and the read is retried as an outage is."""
    replicas = _Replicas({QUORUM: [_page()], None: [_page(a=1)]})
    with pytest.raises(TransientError, match="differ"):
        read_agreed(replicas.read)


def test_too_few_replicas_are_an_outage() -> None:
    """Without a quorum nothing is returned."""
    with pytest.raises(TransientError, match="not enough"):
        read_agreed(_Replicas({None: [_page(a=1)]}).read)
