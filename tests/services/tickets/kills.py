"""Kills the ticket API and cuts off its broker under load, and compares table, topic and acknowledgements.

Clients repeat each request with its idempotency key until it is answered, as real clients do.
"""

import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, Final, Self, get_args

import httpx
import msgspec

from connectors.kafka.reader import read_topic
from connectors.ticket_store.sqlite import open_sqlite
from core.contract import TicketEvent, UpsertEvent, record_key
from core.failpoints import OutboxPoint
from core.settings import KafkaSettings
from tests.faults.oracle import require
from tests.rigs.waiting import PATIENCE_S, wait_until
from tests.services.tickets.apps import PATH
from tests.services.tickets.brokers import Broker
from tests.services.tickets.child import Service, start_service

_POINTS: Final[tuple[OutboxPoint, ...]] = get_args(OutboxPoint)
_CLIENTS: Final = 3
_TICKETS: Final = 5  # of each client at a time
_CHANGES: Final = 30  # of a ticket
#: Between two requests of a client, so that a kill is not waited for at full speed.
_PAUSE_S: Final = 0.04

#: Method, path, ticket, body and idempotency key.
Request = tuple[str, str, str, dict[str, Any] | None, str]


class Attack:
    """A service, its clients, and the acknowledgements that they got."""

    def __init__(self, folder: Path, broker: Broker, topic: str, rng: Random, *, mutant: str = "") -> None:
        self._path = folder / "tickets.db"
        self._broker = broker
        self._topic = topic
        self.rng = rng
        self._mutant = mutant
        self._stop = threading.Event()
        self._service = self._start("")
        self._faults: list[BaseException] = []
        #: Acknowledged versions, by ticket.
        self.told: defaultdict[str, set[int]] = defaultdict(set)
        self.comments: list[tuple[str, str]] = []
        #: Tickets whose last request was given up.
        self._unknown: set[str] = set()
        self.found: Counter[str] = Counter()
        self._clients = [
            threading.Thread(target=self._run, args=(number, Random(rng.random())), daemon=True)
            for number in range(_CLIENTS)
        ]

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._broker.heal()
        self._service.kill()

    @property
    def kills(self) -> int:
        """Number of kills so far."""
        return sum(count for name, count in self.found.items() if name.startswith("killed"))

    def kill_at(self, point: OutboxPoint, *, hit: int) -> None:
        """Restart the service with a failpoint, wait until it dies there, and start it again."""
        self._service.kill()
        self._service = self._start(f"{point}=kill@{hit}")
        wait_until(lambda: self._service.dead, lambda: f"it did not die at {point}", every_s=0.03)
        self._service = self._start("")
        self.found[f"killed at {point}"] += 1

    def kill(self) -> None:
        """Kill the service at a random moment, and start it again."""
        self._await_answers(10)
        time.sleep(self.rng.uniform(0, 0.1))
        self._service.kill()
        self._service = self._start("")
        self.found["killed at random"] += 1

    def cut_off(self) -> None:
        """Cut off the broker for a while, with a kill in the middle."""
        outage = self._broker.fail()
        self._await_answers(10)
        self.kill()
        self._broker.heal()
        self.found["outages"] += 1
        self.found[f"outage: {outage}"] += 1

    def hold_up(self, changes: int) -> None:
        """Make this number of changes wait for the broker."""
        self._broker.hold()
        self._await_answers(changes)
        self._broker.heal()

    def finish(self) -> None:
        """Stop the clients, drain the service, and check the topic."""
        self._await_answers(5)
        self._stop.set()
        for client in self._clients:
            client.join(PATIENCE_S)
        if self._faults:
            raise self._faults[0]
        metrics = f"{self._service.url}/metrics"
        wait_until(
            lambda: "tickets_outbox_events 0.0" in httpx.get(metrics, timeout=PATIENCE_S).text,
            lambda: "the outbox is not empty",
            every_s=0.1,
        )
        code = self._service.terminate()
        require("exit", code == 0, f"the service ended with {code}")
        self._judge()

    def _start(self, failpoints: str) -> Service:
        return start_service(self._path, self._broker.address, self._topic, failpoints=failpoints, mutant=self._mutant)

    def _await_answers(self, number: int) -> None:
        wanted = sum(map(len, self.told.copy().values())) + number
        wait_until(
            lambda: sum(map(len, self.told.copy().values())) >= wanted or bool(self._faults),
            lambda: "no change is answered",
            every_s=0.03,
        )

    # --- clients

    def _run(self, number: int, rng: Random) -> None:
        try:
            with httpx.Client(timeout=PATIENCE_S) as client:
                for request in self._requests(number, rng):
                    if self._stop.is_set():
                        return
                    self._send(client, request)
                    self._stop.wait(_PAUSE_S)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._faults.append(error)

    def _requests(self, number: int, rng: Random) -> Iterator[Request]:
        """Endless changes of a client's own tickets."""
        left: dict[str, int] = {}
        for count in itertools.count():
            key = f"{number}-{count}"
            if len(left) < _TICKETS:
                left[f"T-{key}"] = _CHANGES
                yield "POST", "", f"T-{key}", {"ticket_id": f"T-{key}"}, key
                continue
            ticket_id, what = rng.choice(list(left)), rng.random()
            left[ticket_id] -= 1
            if what < 0.5:
                yield "POST", f"/{ticket_id}/comments", ticket_id, {"body": key}, key
            elif what < 0.98:
                yield "PATCH", f"/{ticket_id}", ticket_id, {"status": rng.choice(["open", "pending"])}, key
            else:
                left[ticket_id] = 0
                yield "DELETE", f"/{ticket_id}", ticket_id, None, key
            if not left[ticket_id]:
                del left[ticket_id]

    def _send(self, client: httpx.Client, request: Request) -> None:
        method, path, ticket_id, body, key = request
        headers = {"Authorization": "Bearer acme/jane/operator", "If-Match": "*", "Idempotency-Key": key}
        while not self._stop.is_set():
            try:
                response = client.request(method, self._service.url + PATH + path, headers=headers, json=body)
            except httpx.TransportError:
                time.sleep(0.02)  # the service is restarting
                continue
            if response.status_code == 503:
                time.sleep(0.05)
                continue
            require("answer", response.status_code < 300, f"{method} {path}: {response.status_code} {response.text}")
            self.told[ticket_id].add(int(response.json()["version"]) if response.content else 0)
            if body is not None and "body" in body:
                self.comments.append((ticket_id, key))
            return
        self._unknown.add(ticket_id)

    # --- the verdict

    def _judge(self) -> None:
        with ExitStack() as stack:
            stores = open_sqlite(self._path, stack)
            waiting = [event for page in stores.outbox.pages(100) for event in page]
            require("empty", not waiting, f"{len(waiting)} events are left in the outbox")
            topic = self._topic_versions()
            for ticket_id, versions in self.told.items():
                current = stores.tickets.get("acme", ticket_id)
                require("table", current is not None, f"{ticket_id} is lost")
                assert current is not None
                self._compare(ticket_id, current, topic[record_key("acme", ticket_id)])
                done = (current.version or 0) - len(versions)
                at_most = ticket_id in self._unknown
                require("once", 0 <= done <= at_most, f"{ticket_id}: {done} changes more than were answered")
            self._judge_comments(stores.tickets.get)
        self.found["events"] = sum(len(set(values)) for values in topic.values())
        self.found["sent again"] = sum(len(values) - len(set(values)) for values in topic.values())

    def _topic_versions(self) -> defaultdict[bytes, list[tuple[int, bytes]]]:
        found: defaultdict[bytes, list[tuple[int, bytes]]] = defaultdict(list)
        for record in read_topic(KafkaSettings(brokers=self._broker.address), self._topic, partitions=1):
            assert record.key is not None
            assert record.value is not None
            event = msgspec.json.decode(record.value, type=TicketEvent)
            found[record.key].append((event.version or 0, record.value))
        return found

    def _compare(self, ticket_id: str, current: TicketEvent, sent: Sequence[tuple[int, bytes]]) -> None:
        """The topic has each version of the table once or more, with one value, and first in order."""
        distinct = list(dict.fromkeys(sent))
        versions = [version for version, _ in distinct]
        wanted = list(range(1, (current.version or 0) + 1))
        missing = set(wanted) - set(versions)
        require("lost", not missing, f"{ticket_id}: versions {sorted(missing)} never reached the topic")
        require("order", versions == wanted, f"{ticket_id}: the topic has {versions}")
        last = msgspec.json.decode(distinct[-1][1], type=TicketEvent)
        require("value", last == current, f"{ticket_id}: the topic's last version is not the table's")

    def _judge_comments(self, get: Any) -> None:
        """Each acknowledged comment is there once, unless its ticket was deleted later."""
        for ticket_id, key in self.comments:
            current = get("acme", ticket_id)
            if isinstance(current, UpsertEvent):
                times = [message.body for message in current.messages].count(key)
                require("once", times == 1, f"{ticket_id}: the comment {key} is there {times} times")


def attack(made: Attack, kills: int, *, say: Callable[[str], None]) -> Counter[str]:
    """Kill `kills` times: two of three at failpoints in turn, the others at random or in an outage of the broker."""
    points = itertools.cycle(_POINTS)
    with made:
        while (done := made.kills) < kills:
            if done % 3 < 2:
                made.kill_at(next(points), hit=made.rng.randint(1, 8))
            elif done % 2:
                made.kill()
            else:
                made.cut_off()
            say(f"{made.kills} of {kills} kills")
        made.finish()
    return made.found


def show(made: Attack, point: OutboxPoint) -> None:
    """Kill at `point` while several versions of each ticket wait for the broker, and check the topic."""
    with made:
        made.hold_up(30)
        made.kill_at(point, hit=1)
        made.finish()
