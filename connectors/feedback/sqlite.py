"""Implements `core.feedback.FeedbackStore` in an SQLite file of this user's own."""

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from connectors.sqlite import make_private_file, require_own, transaction, translated
from core.errors import ConfigError
from core.feedback import ANSWER_DAYS, Feedback, GivenAnswer, Unsent, Votes
from delivery.lease import MAX_AHEAD_MS

_SETTING: Final = "TICKETS_RAG__FEEDBACK_FILE"
_DAY_MS: Final = 86_400_000
_BUSY_S: Final = 5.0
#: The number of new answers after which expired ones are removed.
_TIDY_EVERY: Final = 1_000
#: Rows of an export that are in memory at once, and tickets of one query (SQLite's bound on variables is higher).
_PAGE: Final = 500
#: "TKFB": tells our files from other programs'.
_APPLICATION: Final = 0x544B4642
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answers (
    tenant_id TEXT NOT NULL, answer_id TEXT NOT NULL, at_ms INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (tenant_id, answer_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_time ON answers (at_ms);
CREATE TABLE IF NOT EXISTS votes (
    tenant_id TEXT NOT NULL, ticket_id TEXT NOT NULL, agent TEXT NOT NULL, question_key TEXT NOT NULL,
    verdict TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, ticket_id, agent, question_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feedback (
    position INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id TEXT NOT NULL, answer_id TEXT NOT NULL, agent TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0, value BLOB NOT NULL,
    UNIQUE (tenant_id, answer_id, agent)
);
CREATE INDEX IF NOT EXISTS feedback_unsent ON feedback (position) WHERE sent = 0;
CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_ms INTEGER NOT NULL);
"""
_VOTE: Final = """
INSERT INTO votes VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET verdict = excluded.verdict, at_ms = excluded.at_ms WHERE excluded.at_ms >= at_ms
"""
_LEASE: Final = """
INSERT INTO leases VALUES ('relay', ?, ?)
ON CONFLICT DO UPDATE SET owner = excluded.owner, until_ms = excluded.until_ms
WHERE owner = excluded.owner OR until_ms <= ? OR until_ms > ?
"""


class SqliteFeedback:
    """See `core.feedback.FeedbackStore`. One connection, which one thread uses at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()
        self._clock = clock
        self._remembered = 0

    def remember(self, answer: GivenAnswer) -> None:
        """See `FeedbackStore`."""
        row = (answer.tenant_id, answer.answer_id, answer.at_ms, msgspec.json.encode(answer))
        with self._writing(durable=False) as connection:
            connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)
            if self._remembered % _TIDY_EVERY == 0:
                connection.execute("DELETE FROM answers WHERE at_ms < ?", (self._oldest_ms(),))
            self._remembered += 1

    def answer(self, tenant_id: str, answer_id: str) -> GivenAnswer | None:
        """See `FeedbackStore`."""
        with self._using() as connection:
            found = connection.execute(
                "SELECT value FROM answers WHERE tenant_id = ? AND answer_id = ? AND at_ms >= ?",
                (tenant_id, answer_id, self._oldest_ms()),
            ).fetchone()
        return None if found is None else msgspec.json.decode(found[0], type=GivenAnswer)

    def vote(self, feedback: Feedback) -> None:
        """See `FeedbackStore`."""
        answer = feedback.answer
        with self._writing(durable=True) as connection:
            connection.executemany(
                _VOTE,
                [
                    (answer.tenant_id, one, feedback.agent, answer.question_key, feedback.verdict, feedback.at_ms)
                    for one in answer.tickets
                ],
            )
            key = (answer.tenant_id, answer.answer_id, feedback.agent)
            kept = connection.execute(
                "SELECT value FROM feedback WHERE tenant_id = ? AND answer_id = ? AND agent = ?", key
            ).fetchone()
            if kept is None or msgspec.json.decode(kept[0], type=Feedback).at_ms <= feedback.at_ms:
                connection.execute(
                    "INSERT OR REPLACE INTO feedback (tenant_id, answer_id, agent, value) VALUES (?, ?, ?, ?)",
                    (*key, msgspec.json.encode(feedback)),
                )

    def votes(self, tenant_id: str, tickets: Collection[str]) -> Mapping[str, Votes]:
        """See `FeedbackStore`."""
        counts: dict[str, dict[str, int]] = {}
        wanted = list(dict.fromkeys(tickets))
        with self._using() as connection:
            for at in range(0, len(wanted), _PAGE):
                page = wanted[at : at + _PAGE]
                marks = ",".join("?" * len(page))
                rows = connection.execute(
                    "SELECT ticket_id, verdict, COUNT(*) FROM votes "  # noqa: S608 - question marks only
                    f"WHERE tenant_id = ? AND ticket_id IN ({marks}) GROUP BY ticket_id, verdict",
                    (tenant_id, *page),
                )
                for ticket_id, verdict, number in rows:
                    counts.setdefault(ticket_id, {})[verdict] = number
        return {ticket_id: Votes(**found) for ticket_id, found in counts.items()}

    def unsent(self, limit: int) -> Sequence[Unsent]:
        """See `FeedbackStore`."""
        with self._using() as connection:
            rows = connection.execute(
                "SELECT position, value FROM feedback WHERE sent = 0 ORDER BY position LIMIT ?", (limit,)
            ).fetchall()
        return [Unsent(str(position), msgspec.json.decode(value, type=Feedback)) for position, value in rows]

    def mark_sent(self, row_ids: Collection[str]) -> None:
        """See `FeedbackStore`."""
        with self._writing(durable=True) as connection:
            connection.executemany("UPDATE feedback SET sent = 1 WHERE position = ?", [(int(one),) for one in row_ids])

    def lease(self, owner: str, *, now_ms: int, until_ms: int) -> bool:
        """See `FeedbackStore`."""
        with self._writing(durable=False) as connection:
            return connection.execute(_LEASE, (owner, until_ms, now_ms, until_ms + MAX_AHEAD_MS)).rowcount == 1

    def release(self, owner: str) -> None:
        """See `FeedbackStore`."""
        with self._writing(durable=False) as connection:
            connection.execute("DELETE FROM leases WHERE owner = ?", (owner,))

    def all(self, tenant_id: str | None = None) -> Iterator[Feedback]:
        """See `FeedbackStore`."""
        after = 0
        while True:
            with self._using() as connection:
                rows = connection.execute(
                    "SELECT position, value FROM feedback WHERE position > ? AND (? IS NULL OR tenant_id = ?) "
                    "ORDER BY position LIMIT ?",
                    (after, tenant_id, tenant_id, _PAGE),
                ).fetchall()
            for _position, value in rows:
                yield msgspec.json.decode(value, type=Feedback)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def close(self) -> None:
        """See `FeedbackStore`."""
        with self._lock:
            self._connection.close()

    def _oldest_ms(self) -> int:
        return int(self._clock() * 1000) - ANSWER_DAYS * _DAY_MS

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._path):
            yield self._connection

    @contextmanager
    def _writing(self, *, durable: bool) -> Iterator[sqlite3.Connection]:
        """A transaction, undone if the block raises. With `durable` it outlives a power cut."""
        with self._using() as connection:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with transaction(connection):
                yield connection


def open_feedback(path: Path, *, clock: Callable[[], float] = time.time) -> SqliteFeedback:
    """Open the store in the file `path`, which is created for this user alone if it is missing.

    Raises:
        ConfigError: the file can't be written, or is another program's or damaged.
    """
    make_private_file(path, _SETTING)
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise ConfigError(f"{_SETTING}: {path} can't be opened ({error}); restore it, or choose another path") from None
    except ConfigError:
        connection.close()
        raise
    return SqliteFeedback(path, connection, clock)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    require_own(connection, _APPLICATION, path, _SETTING)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.executescript(_SCHEMA)
