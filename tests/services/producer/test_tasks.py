"""Tasks share files and the rate, take over from each other, and wait for the broker."""

from contextlib import ExitStack
from pathlib import Path

from core.errors import TransientError
from tests.services.producer.world import World, events, line


def test_two_tasks_share_the_files(world: World) -> None:
    """A file that another task reads is left to it; its other files are taken."""
    for number in range(20):
        world.write(f"{number}.jsonl", line(number))
    one, two = world.task("one"), world.task("two")
    one.producer.turn()  # it opens the first 16
    two.work()
    one.work()
    assert sorted(world.broker.values()) == sorted(events(*range(20)))
    assert two.metric("tickets_producer_tasks") == 2


def test_the_files_of_a_dead_task_are_taken_over(world: World) -> None:
    """When its lease has ended, another task goes on at its checkpoint."""
    one, two = world.task("one"), world.task("two")
    world.write("a.jsonl", line(1))
    one.work()
    world.write("a.jsonl", line(2))
    two.work()
    assert world.broker.values() == events(1)
    world.clock.now += world.settings.lease_s
    two.work()
    assert world.broker.values() == events(1, 2)
    world.write("a.jsonl", line(3))
    one.work()  # it was only asleep
    two.work()
    assert world.broker.values() == events(1, 2, 3)


def test_a_clock_far_ahead_keeps_no_file(world: World) -> None:
    """The file of a task that died with its clock days ahead is taken over at once."""
    world.clock.now += 10**6
    world.write("a.jsonl", line(1))
    world.task("ahead").work()
    world.clock.now -= 10**6
    world.write("a.jsonl", line(2))
    two = world.task("two")
    two.work()
    assert world.broker.values() == events(1, 2)
    assert two.metric("tickets_producer_tasks") == 1


def test_a_task_that_stops_gives_its_files_to_the_others(world: World) -> None:
    """After SIGTERM nobody waits for a lease to end."""
    one, two = world.task("one"), world.task("two")
    world.write("a.jsonl", line(1))
    one.work()
    one.stop.set()
    one.producer.run()
    world.write("a.jsonl", line(2))
    two.work()
    assert world.broker.values() == events(1, 2)
    assert two.metric("tickets_producer_tasks") == 1


def test_an_outage_of_the_broker_waits_and_loses_nothing(world: World) -> None:
    """/ready says why, nothing is checkpointed, and the lines are sent when the broker is back."""
    task = world.task()
    world.write("a.jsonl", line(1))
    world.broker.fault = TransientError("producing: the broker is down")
    seen = []

    def mend() -> None:
        seen.append(task.monitor.not_ready())
        checkpoints = world.store.load().values()
        seen.append(str([lease.checkpoint.position for lease in checkpoints]))
        world.broker.fault = None

    retry = task.sending._retry
    retry.between = mend
    task.work()
    assert seen[:2] == ["broker: producing: the broker is down", "[0]"]
    assert world.broker.values() == events(1)
    assert task.monitor.not_ready() is None


def test_the_rate_is_kept_and_shared(tmp_path: Path) -> None:
    """A task alone has the whole rate, and half of it beside another."""
    with ExitStack() as stack:
        world = World(tmp_path, stack, rate=100.0)
        task = world.task()
        assert task.sending.batch_size == 10

        def seconds(name: str) -> float:
            world.write(name, b"".join(line(n, name) for n in range(1_000)))
            world.clock.now += 11  # it looks after its leases and the other tasks
            began = world.clock.now + world.settings.scan_s
            task.work()
            return world.clock.now - began

        assert 8 <= seconds("a.jsonl") <= 10
        world.task("other").work()
        assert 18 <= seconds("b.jsonl") <= 20
        assert len(world.broker.sent) == 2_000


def test_unsent_bytes_are_the_lag(world: World) -> None:
    """The lag counts bytes of all files, and the time since the oldest of them began to wait."""
    task, other = world.task(), world.task("other")
    world.write("a.jsonl", line(1))
    other.work()
    world.write("a.jsonl", line(2))
    task.work()  # the other task has the file
    world.clock.now += 10
    task.work()
    assert task.metric("tickets_producer_lag_bytes") == len(line(2))
    assert 10 <= task.metric("tickets_producer_lag_seconds") <= 20
    other.work()
    task.work()
    assert task.metric("tickets_producer_lag_bytes") == 0
    assert task.metric("tickets_producer_lag_seconds") == 0
