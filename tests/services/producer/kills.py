"""Kills, freezes and cuts off tasks of the producer while files are written, and compares the topic with the files.

Meanwhile the files are appended to, rotated and rewritten.
"""

import itertools
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final, Self, get_args

from connectors.kafka.reader import read_topic
from core.contract import record_key
from core.failpoints import ProducerPoint
from core.settings import KafkaSettings
from core.topic_settings import TopicSettings
from tests.faults.oracle import require
from tests.rigs.proxy import Proxy
from tests.rigs.waiting import wait_until
from tests.services.producer.child import LEASE_S, Child, start_task
from tests.services.producer.world import event

_POINTS: Final[tuple[ProducerPoint, ...]] = get_args(ProducerPoint)
_FILES: Final = 6
#: The records of a batch, as in `services.producer.sending`.
_BATCH: Final = 500


class Attack:
    """Two tasks on one folder, and the events written there."""

    def __init__(
        self, folder: Path, broker: tuple[str, Proxy], topics: TopicSettings, rng: Random, *, mutant: str = ""
    ) -> None:
        self._folder = folder
        (folder / "in").mkdir(exist_ok=True)
        self._brokers, self._proxy = broker
        self._topics = topics
        self.rng = rng
        self._mutant = mutant
        self._numbers = itertools.count()
        #: The numbers of each file's events, in order.
        self._written: defaultdict[str, list[int]] = defaultdict(list)
        self.found: Counter[str] = Counter()
        self._tasks = [self._start(""), self._start("")]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._proxy.heal()
        for task in self._tasks:
            task.kill()

    @property
    def kills(self) -> int:
        """Number of kills so far."""
        return sum(count for name, count in self.found.items() if name.startswith("killed"))

    def write(self, lines: int) -> None:
        """Append events to a file, sometimes with a pause in the middle of a line; sometimes rotate the file first."""
        name = f"{self.rng.randrange(_FILES)}.jsonl"
        path = self._folder / "in" / name
        if path.exists() and self.rng.random() < 0.1:
            self.found["rotated"] += 1
            path.rename(path.with_name(f"{name}.{self.found['rotated']}"))
        data = b"".join(event(self._number(name), "x" * self.rng.randrange(300)) + b"\n" for _ in range(lines))
        cut = self.rng.randrange(len(data))
        for part in (data[:cut], data[cut:]):
            with path.open("ab") as file:
                file.write(part)

    def kill_at(self, point: ProducerPoint, *, hit: int) -> None:
        """Restart a task with a failpoint, write until it dies there, and restart it."""
        place = self.rng.randrange(2)
        self._tasks[place].kill()
        self._tasks[place] = self._start(f"{point}=kill@{hit}")
        wait_until(lambda: self._dies(place), lambda: f"no task died at {point}", every_s=0.02)
        self._tasks[place] = self._start("")
        self.found[f"killed at {point}"] += 1

    def kill(self) -> None:
        """Kill a task at a random moment, and restart it."""
        self.write(2 * _BATCH)
        time.sleep(self.rng.uniform(0, 0.3))
        place = self.rng.randrange(2)
        self._tasks[place].kill()
        self._tasks[place] = self._start("")
        self.found["killed at random"] += 1

    def freeze(self) -> None:
        """Freeze a task for longer than its leases, and let it continue."""
        self.write(2 * _BATCH)
        time.sleep(self.rng.uniform(0, 0.2))
        task = self.rng.choice(self._tasks)
        task.send_signal(signal.SIGSTOP)
        time.sleep(LEASE_S + 0.5)
        task.send_signal(signal.SIGCONT)
        self.found["frozen"] += 1

    def cut_off(self) -> None:
        """Cut off the broker while files grow, with a kill in the middle."""
        self._proxy.refuse()
        self.kill()
        self._proxy.heal()
        self.found["outages"] += 1

    def finish(self) -> None:
        """Wait until every line is sent, stop the tasks, and check the topic."""
        for _ in range(_FILES):
            self.write(3)
        wanted = {number for numbers in self._written.values() for number in numbers}
        wait_until(lambda: wanted <= set(self._sent()), lambda: f"lost: {len(wanted - set(self._sent()))}", every_s=0.5)
        codes = [task.terminate() for task in self._tasks]
        require("exit", codes == [0, 0], f"the tasks ended with {codes}")
        self.judge()

    def judge(self) -> None:
        """Assert that every line is in the topic, in its file's order, and repeated only if in flight at a fault."""
        sent = self._sent()
        place = {number: at for at, number in reversed(list(enumerate(sent)))}
        for name, numbers in self._written.items():
            missing = [number for number in numbers if number not in place]
            require("lost", not missing, f"{name}: {len(missing)} of {len(numbers)} lines never reached the topic")
        require("invented", set(place) == set(itertools.chain(*self._written.values())), "the topic has other events")
        again = len(sent) - len(place)
        faults = self.kills + self.found["frozen"] + self.found["outages"]
        require("once", again <= faults * _BATCH, f"{again} records were sent again in {faults} faults")
        self.found["events"], self.found["sent again"] = len(place), again

    def _number(self, name: str) -> int:
        number = next(self._numbers)
        self._written[name].append(number)
        return number

    def _dies(self, place: int) -> bool:
        self.write(20)
        return self._tasks[place].dead

    def _start(self, failpoints: str) -> Child:
        return start_task(self._folder, self._brokers, self._topics, failpoints=failpoints, mutant=self._mutant)

    def _sent(self) -> list[int]:
        """The numbers of the topic's events. Two records with one number must be equal."""
        values: dict[bytes, bytes] = {}
        numbers = []
        for record in self._records():
            key, value = record
            require("same", values.setdefault(key, value) == value, f"{key!r} was sent with two values")
            numbers.append(int(key.removeprefix(record_key("acme", "T-"))))
        return numbers

    def _records(self) -> Iterator[tuple[bytes, bytes]]:
        for record in read_topic(KafkaSettings(brokers=self._brokers), self._topics.raw, partitions=1):
            yield record.key or b"", record.value or b""


def attack(made: Attack, kills: int) -> Counter[str]:
    """Make a freeze and this number of kills: two thirds at failpoints, the others at random or in an outage."""
    points = itertools.cycle(_POINTS)
    with made:
        made.write(100)
        while (done := made.kills) < kills:
            if done % 3 < 2:
                made.kill_at(next(points), hit=made.rng.randint(1, 3))
            elif done % 2:
                made.cut_off()
            else:
                made.kill()
            if done % 6 == 3:
                made.freeze()
        made.finish()
    return made.found


def show(made: Attack, point: ProducerPoint | None) -> None:
    """Kill at `point`, or only write, and check the topic."""
    with made:
        for _ in range(_FILES):
            made.write(_BATCH)
        if point is not None:
            made.kill_at(point, hit=1)
        time.sleep(LEASE_S + 1)  # otherwise a mutant would be found only by a timeout
        made.judge()
