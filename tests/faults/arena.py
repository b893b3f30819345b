"""One attack: a stream, its workers, its load, a sampler, and the final verdict."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Self

from connectors.kafka.admin import open_cluster
from connectors.qdrant.open import open_index_for_writing
from connectors.qdrant.policy import VersionedIndex
from core.errors import UnavailableError
from core.provenance import LogIdentity, Provenance
from core.records import Record
from core.settings import IndexSettings
from models.open import load_embedder
from synthetic.tickets import SyntheticRecord
from tests.contracts.digest import contents
from tests.e2e.world import Runner, World
from tests.faults.choices import fork
from tests.faults.crowd import DRAIN_S, LOOK_S, PATIENCE_S, Crowd
from tests.faults.environment import environment_of
from tests.faults.ledger import Feeder, Ledger
from tests.faults.oracle import (
    Verdict,
    acked_and_gone,
    backlog,
    judge_contents,
    judge_letters,
    judge_tickets,
    require,
)
from tests.faults.report import Section, percentile
from tests.faults.sampler import OwnerView, Sampler, ServerView
from tests.faults.server import BreakableServer, SeparateServer, Server
from tests.rigs.calm import calm_clock


class Arena(Crowd):
    """The stream of one attack, and everything that acts on it."""

    def __init__(
        self,
        brokers: str,
        folder: Path,
        section: Section,
        rng: Random,
        *,
        server: bool = False,
        holding: bool = False,
        own_process: bool = False,
        index: IndexSettings | None = None,
        runner: Runner = "plain",
        mutant: str = "",
        record: bool = False,
        partitions: int = 4,
        replication: int = 1,
        session_timeout_s: float = 1.0,
        watched: bool = True,
        producer: dict[str, Any] | None = None,
        **settings: str,
    ) -> None:
        """Create the topics of a stream on `brokers`; no worker is started.

        Args:
            brokers: bootstrap servers.
            folder: for the index and the logs.
            section: for the figures.
            rng: for the random choices.
            server: use a Qdrant server and not the embedded index.
            holding: use a server that can hold writes back and whose network can be broken.
            own_process: run the server in a process of its own, unless `holding`.
            index: use the Qdrant server that these settings name, which the caller runs.
            runner: how workers are started.
            mutant: the mutant that workers are, if any.
            record: workers record their acks.
            partitions: of the raw topic.
            replication: of the topics.
            session_timeout_s: of the group.
            watched: run a sampler.
            producer: more options of the producer.
            settings: more variables of the workers, without TICKETS_.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._sampler_rng = fork(rng)
        self.holding = BreakableServer(folder / "server") if holding or (server and not own_process) else None
        self.server: Server | None = SeparateServer(folder / "server") if server and own_process else self.holding
        self.index = IndexSettings(url=self.server.url) if self.server else index
        super().__init__(
            World(brokers, folder, partitions=partitions, replication=replication, session_timeout_s=session_timeout_s),
            section,
            runner=runner,
            environment=environment_of(settings, mutant=mutant, server=self.index),
            special=bool(mutant or record or "TEST_CLOCK" in settings),
            record=record,
        )
        self.session_timeout_s = session_timeout_s
        self._partitions = partitions
        self.ledger = Ledger()
        self.feeder = Feeder(self.world.settings.kafka, self.world.settings.topics.raw, self.ledger, **(producer or {}))
        self._committed: dict[int, int] = {}
        self._watched = watched
        self._sampler: Sampler | None = None
        self._embedder = load_embedder(self.world.settings.model)
        self._viewed_index: VersionedIndex | None = None

    def __enter__(self) -> Self:
        if self._watched:
            self._sampler = self._make_sampler()
            self._sampler.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.feeder.stop()
        if self._sampler is not None:
            self._sampler.stop()
        self.end()
        if self._viewed_index is not None:
            self._viewed_index.close()
        if self.server is not None:
            self.server.close()

    def send(self, records: Sequence[SyntheticRecord]) -> None:
        """Send these records and wait for their outcomes."""
        self.feeder.send(records)

    def committed(self) -> dict[int, int]:
        """The group's committed offset of each partition; the last known ones while no broker answers."""
        try:
            lags = self.world.cluster.lag(self.world.settings.topics.raw, self.world.settings.kafka.group)
        except (UnavailableError, TimeoutError):  # a broker is out, perhaps on purpose
            self.world.cluster = open_cluster(
                self.world.settings.kafka
            )  # a client that has lost all brokers may not reconnect
            return dict(self._committed)
        self._committed = {lag.partition: lag.committed for lag in lags if lag.committed is not None}
        return dict(self._committed)

    def await_all(self, done: Callable[[], bool], what: str, *, promise: str = "P1") -> float:
        """Wait for `done` and return the seconds it took.

        Raises:
            BrokenError: `done` stayed false, which breaks `promise`, or the sampler found a fault.
        """
        began = calm_clock()
        while not done():
            if self._sampler is not None:
                self._sampler.require_sound()
            for worker in self.workers:
                worker.assert_runs()
            require(promise, calm_clock() - began < PATIENCE_S, f"waited in vain for {what}\n{self._words()}")
            time.sleep(LOOK_S)
        return calm_clock() - began

    def await_committed(self, records: int) -> None:
        """Wait until the group has committed `records` records."""
        self.await_all(lambda: sum(self.committed().values()) >= records, f"a commit of {records} records")

    def await_caught_up(self, behind: int, *, watch: Callable[[], object] = lambda: None) -> None:
        """Wait until at most `behind` records are uncommitted, while the number falls; call `watch` each time."""
        least = sys.maxsize

        def fewer() -> bool:
            return self.behind() < least

        while (left := self.behind()) > behind:
            least = min(least, left)
            self.await_all(fewer, f"fewer than {least} records behind", promise="P8")
            watch()

    def behind(self) -> int:
        """Records that the broker has acknowledged and the group has not committed."""
        return self.ledger.counts()["ok"] - sum(self.committed().values())

    def await_moved(self, before: dict[int, int]) -> float:
        """Wait until every partition's committed offset exceeds that of `before`; returns the seconds it took."""

        def moved() -> bool:
            now = self.committed()
            return all(now.get(n, 0) > before.get(n, 0) for n in range(self._partitions))

        return self.await_all(moved, f"a commit past {before}")

    def await_assigned(self, workers: int) -> None:
        """Wait until `workers` workers have partitions."""

        def shared() -> bool:
            held = [worker.metric("tickets_assigned_partitions") for worker in self.workers]
            return sum(count > 0 for count in held) >= workers

        self.await_all(shared, f"an assignment to {workers} workers", promise="P10")

    def finish(self, *, broker_may_lose: bool = False) -> Verdict:
        """Drain the stream and return the verdict. Raises `BrokenError`."""
        self.drain(broker_may_lose=broker_may_lose)
        return self.judge()

    def drain(self, *, broker_may_lose: bool = False) -> None:
        """Stop the load, wait until all is committed, and stop the workers. Raises `BrokenError`.

        `broker_may_lose`: report records that the broker acknowledged and lost, instead of failing.
        """
        self.feeder.stop()
        log = self.world.log()
        missing = self.ledger.missing_from(log)
        if broker_may_lose:
            self.section.found("records that the embedded broker acknowledged and lost", len(missing))
        else:
            acked_and_gone(missing)
        self.section.found("drained after the last send, s", self._await_drained(log))
        if self._sampler is not None and not self._sampler.answers:
            self.await_answers(1)  # while a worker can answer
        self.await_all(self._all_started, "the start of every worker")  # before it, SIGTERM kills
        for worker in list(self.workers):
            self.terminate(worker)

    def _all_started(self) -> bool:
        return all(worker.metric("tickets_build_info") > 0 for worker in self.workers)

    def judge(self) -> Verdict:
        """The verdict on the index and the dead letters. All workers must have ended."""
        if self._sampler is not None:
            self._sampler.judge()
        log = self.world.log()
        require("P1", backlog(log, self.committed()) == 0, "the stream is not drained, so there is no verdict")
        index = self.open_index()
        held = {(t.tenant_id, t.ticket_id): (t.version, t.deleted) for t in index.tickets()}
        found = contents(index)
        index.close()
        verdict = judge_tickets(log, held)
        letters = self.world.letters()
        judge_letters(log, letters, verdict)
        if not (verdict.lost or verdict.stale or verdict.resurrected or verdict.invented):
            judge_contents(found, self.world.folded(log), verdict)
        self._report(len(log), verdict)
        verdict.require_clean()
        late = percentile(self.drains_s, 99)
        require("P9", late <= DRAIN_S, f"of {len(self.drains_s)} shutdowns one in a hundred took {late:.1f} s")
        return verdict

    def _await_drained(self, log: Sequence[Record]) -> float:
        """Wait until the group has committed all of `log`, for as long as it makes progress; returns the seconds."""
        began = calm_clock()
        while left := backlog(log, self.committed()):
            fewer = left
            self.await_all(lambda: backlog(log, self.committed()) < fewer, f"fewer than {fewer} records behind")  # noqa: B023
        return calm_clock() - began

    def await_answers(self, more: int) -> None:
        """Wait until `more` further searches are answered."""
        sampler = self._sampler
        assert sampler is not None
        wanted = sampler.answers + more
        self.await_all(lambda: sampler.answers >= wanted, "an answer", promise="P11")

    def _report(self, records: int, verdict: Verdict) -> None:
        section = self.section
        counts = self.ledger.counts()
        section.found("records in the log", records)
        section.found("sends ok / failed / unknown", f"{counts['ok']} / {counts['failed']} / {counts['unknown']}")
        verdict.report_to(section)
        if self._sampler is not None:
            section.found("versions seen by searches", self._sampler.versions)
        if self.drains_s:
            late = percentile(self.drains_s, 99)
            section.found("shutdown p99, s", late, bound=DRAIN_S, kept=late <= DRAIN_S)
        if self.peak_rss_mib:
            section.found("peak memory of a worker, MiB", round(self.peak_rss_mib))

    def _make_sampler(self) -> Sampler:
        if self.index is None:
            view: OwnerView | ServerView = OwnerView(self.world.settings.index)
        else:
            self._viewed_index = self.open_index()
            view = ServerView(self._viewed_index, self._embedder)
        return Sampler(view=view, ledger=self.ledger, committed=self.committed, rng=self._sampler_rng)

    def open_index(self) -> VersionedIndex:
        """Open the index. An embedded one must not be open in a worker."""
        settings = self.index or self.world.settings.index
        return open_index_for_writing(settings, dimension=self._embedder.dimension, model=self._embedder.stamp)

    def origin(self) -> Provenance:
        """The provenance of the index, read from outside the workers."""
        index = self.open_index()
        try:
            found = index.origin()
        finally:
            index.close()
        assert found is not None, "the index has no provenance"
        return found

    def log_identity(self) -> LogIdentity:
        """The log that the workers read."""
        return self.world.cluster.identify(self.world.settings.topics.raw)


#: Makes an arena for an attack, from the keyword arguments of `Arena`.
MakeArena = Callable[..., Arena]
