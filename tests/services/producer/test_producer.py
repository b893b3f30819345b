"""Files are followed whatever happens to them, and every line is sent once."""

import gzip
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from connectors.files import parsing
from connectors.files.events import jsonl_record
from connectors.kafka.producer import Outgoing
from tests.services.producer.world import World, event, events, line


def test_new_files_and_appended_lines_are_sent_in_order(world: World) -> None:
    """An appended line is sent at the next scan, and no line is sent twice."""
    task = world.task()
    world.write("a.jsonl", line(1) + line(2))
    task.work()
    world.write("a.jsonl", line(3))
    world.write("b.jsonl", line(4))
    task.work()
    assert world.broker.values() == events(1, 2, 3, 4)
    assert [record.key for record in world.broker.sent[:1]] == [b"acme/T-1"]


def test_a_half_written_line_waits_for_its_end(world: World) -> None:
    """A line is sent once its line break is written, however long its writer pauses."""
    task = world.task()
    world.write("a.jsonl", line(1) + event(2)[:20])
    task.work()
    world.clock.now += 1_000
    task.work()
    task.work()
    assert world.broker.values() == events(1)
    assert "a.jsonl" in (task.monitor.warning() or "")
    world.write("a.jsonl", event(2)[20:] + b"\n")
    task.work()
    assert world.broker.values() == events(1, 2)
    task.work()
    assert task.monitor.warning() is None


def test_a_whole_last_line_counts_without_its_end(world: World) -> None:
    """A last line is sent after the settling time, and not again when its line break and more lines follow."""
    task = world.task()
    world.write("a.jsonl", line(1) + event(2))
    task.work()
    assert world.broker.values() == events(1)
    world.clock.now += world.settings.settle_s + 1
    task.work()
    assert world.broker.values() == events(1, 2)
    world.write("a.jsonl", b"\n" + line(3))
    world.task("two").work()  # it opens the file again after the first task's lease has ended
    world.clock.now += world.settings.lease_s
    world.task("three").work()
    assert world.broker.values() == events(1, 2, 3)


def test_many_old_files_without_a_last_line_break_are_sent_at_one_look(world: World) -> None:
    """A file that was not touched for the settling time is not waited for, and makes room for others at once."""
    for number in range(50):
        path = world.write(f"{number}.jsonl", event(number))
        os.utime(path, (world.clock.now - 100, world.clock.now - 100))
    world.task().work()
    assert sorted(world.broker.values()) == sorted(events(*range(50)))


def test_a_rotated_file_goes_on_under_its_new_name(world: World) -> None:
    """Lines written before the rename are sent once, from the renamed file; the new file is read from its beginning."""
    task = world.task()
    path = world.write("log.jsonl", line(1) + line(2))
    task.work()
    world.write("log.jsonl", line(3))
    path.rename(path.with_name("log.jsonl.1"))
    world.write("log.jsonl", line(4))
    task.work()
    assert sorted(world.broker.values()) == events(1, 2, 3, 4)
    world.task("restarted").work()
    assert len(world.broker.sent) == 4


def test_a_copied_and_truncated_file_is_not_sent_again(world: World) -> None:
    """With logrotate's copytruncate the copy continues at the original's position, and the original starts over."""
    task = world.task()
    path = world.write("log.jsonl", b"".join(line(n) for n in range(20)))
    task.work()
    shutil.copy(path, path.with_name("log.jsonl.1"))
    os.truncate(path, 0)
    world.write("log.jsonl", line(20))
    task.work()
    task.work()
    assert world.broker.values() == events(*range(21))


@pytest.mark.parametrize("how", ["in place", "by rename", "while it is closed", "by a longer one", "by a shorter one"])
def test_a_replaced_file_is_read_from_its_beginning(world: World, how: str) -> None:
    """Other content under the same name is new, even if the inode, the size or the last bytes are the same."""
    task, end = world.task(), line(2, "like" * 100)
    path = world.write("a.jsonl", line(1, "old") + end)
    task.work()
    if how == "while it is closed":
        world.clock.now += 100
        task.work()
    new = {"by a longer one": line(1, "new") + line(3) + end, "by a shorter one": line(1, "new")}
    content = new.get(how, line(1, "new") + end)
    if how == "by rename":
        path.with_name(".draft").write_bytes(content)
        path.with_name(".draft").rename(path)
    else:
        path.write_bytes(content)
    task.work()
    task.work()
    assert event(1, "new") in world.broker.values()
    assert (event(3) in world.broker.values()) == (how == "by a longer one")


def test_an_unreachable_source_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """/ready names an unreachable source, and the files of the others are sent."""
    with ExitStack() as stack:
        (tmp_path / "in").mkdir()
        (tmp_path / "mount").mkdir()
        world = World(tmp_path, stack, sources=f"{tmp_path}/mount,{tmp_path}/in")
        (tmp_path / "mount").rmdir()
        world.write("a.jsonl", line(1))
        task = world.task()
        task.work()
        assert world.broker.values() == events(1)
        assert task.monitor.not_ready() == f"sources: there is no folder {tmp_path}/mount"
        (tmp_path / "mount").mkdir()
        task.work()
        assert task.monitor.not_ready() is None


def test_a_file_that_is_written_again_with_more_lines_goes_on(world: World) -> None:
    """A new export that begins with the old one's lines is sent from the old one's end."""
    task = world.task()
    old = b"".join(line(n) for n in range(20))
    path = world.write("a.jsonl", old)
    task.work()
    path.with_name(".draft").write_bytes(old + line(20))
    path.with_name(".draft").rename(path)
    task.work()
    assert world.broker.values() == events(*range(21))


def test_bad_lines_are_dead_letters_and_stop_nothing(world: World) -> None:
    """A bad line becomes a dead letter with its file, its number and the line; the lines around it are sent."""
    task = world.task()
    path = world.write("a.jsonl", line(1) + b"oops\n" + b"x" * 9_000 + b"\n" + b'{"tenant_id":"a"}\n\n' + line(2))
    world.broker.too_large.add(event(2))
    world.write("a.jsonl", line(3))
    task.work()
    assert world.broker.values() == events(1, 3)
    letters = [record for record in world.broker.sent if record.topic == "dlq"]
    headers = [dict(letter.headers) for letter in letters]
    assert [(h["dlq-stage"], h["dlq-code"], h["dlq-offset"]) for h in headers] == [
        (b"read", b"bad_json", b"2"),
        (b"read", b"too_large", b"3"),
        (b"read", b"bad_field", b"4"),
        (b"read", b"too_large", b"6"),
    ]
    assert all(h["dlq-topic"] == str(path).encode() for h in headers)
    assert letters[0].value == b"oops"
    assert letters[3].value == event(2)
    assert b"line 2: the line is not a JSON object" in (headers[0]["dlq-reason"] or b"")
    assert task.metric("tickets_rejected_total", stage="read", code="too_large") == 2
    assert task.metric("tickets_producer_records_total") == 2
    assert task.metric("tickets_producer_bytes_total") == path.stat().st_size


def test_a_file_whose_name_is_not_utf8_is_sent_like_others(world: World) -> None:
    """Linux takes any bytes for a name. Checkpoints and letters have it with escapes."""
    task = world.task()
    world.write(os.fsdecode(b"caf\xe9.jsonl"), line(1) + b"{\n")
    task.work()
    assert world.broker.values() == events(1)
    (letter,) = (record for record in world.broker.sent if record.topic == "dlq")
    assert dict(letter.headers)["dlq-topic"] == f"{world.folder}/caf\\xe9.jsonl".encode()


def test_a_file_that_cannot_be_read_as_a_whole_is_set_aside(tmp_path: Path) -> None:
    """/ready's warning names a CSV without a mapped column; other files continue, and it is read once it is fixed."""
    with ExitStack() as stack:
        world = World(tmp_path, stack, map="body=text;tenant_id:=acme")
        task = world.task()
        path = world.write("a.csv", b"id,words\n1,hello\n")
        world.write("b.csv", b"id,text\n1,hello\n")
        (world.folder / "c.jsonl.gz").write_bytes(gzip.compress(line(1))[:-4] + b"????")
        task.work()
        assert len(world.broker.values()) == 1
        assert "a.csv has no column text" in (task.monitor.warning() or "") or "c.jsonl" in (
            task.monitor.warning() or ""
        )
        assert task.metric("tickets_producer_faulty_files") == 2
        assert task.monitor.not_ready() is None
        path.write_bytes(b"id,text\n2,hello\n")
        world.clock.now += 100
        task.work()
        assert len(world.broker.values()) == 2
        assert task.metric("tickets_producer_faulty_files") == 1


def test_an_unexpected_error_sets_its_file_aside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in our own reading of one file doesn't hold up the others."""

    def broken(content: bytes, *, topic: str) -> Outgoing:
        if b"T-1" in content:
            raise IndexError("a line's text")
        return jsonl_record(content, topic=topic)

    monkeypatch.setattr(parsing, "jsonl_record", broken)
    task = world.task()
    world.write("a.jsonl", line(1))
    world.write("b.jsonl", line(2))
    task.work()
    assert world.broker.values() == events(2)
    warning = task.monitor.warning() or ""
    assert "a.jsonl: reading it failed (IndexError)" in warning
    assert "text" not in warning


def test_the_rows_of_a_csv_are_the_same_records_when_they_are_sent_again(tmp_path: Path) -> None:
    """A missing time is replaced by the file's, so a task that takes over sends the same bytes."""
    sent = []
    for folder in ("a", "b"):
        with ExitStack() as stack:
            (tmp_path / folder).mkdir()
            world = World(tmp_path / folder, stack, map="body=text;tenant_id:=acme")
            path = world.write("a.csv", b'id,text\n1,"two\nlines"\n2,b\n')
            os.utime(path, (1_767_000_000, 1_767_000_000))
            world.clock.now += 1_000 * (folder == "b")
            world.task().work()
            sent.append(world.broker.values())
    assert sent[0] == sent[1]
    assert b'"created_at":1767000000000' in sent[0][0]


def test_checkpoints_of_files_that_are_gone_are_forgotten(world: World) -> None:
    """The checkpoint of a deleted file is deleted a week after its last line."""
    task = world.task()
    path = world.write("a.jsonl", line(1))
    task.work()
    path.unlink()
    for seconds in (100, 8 * 86_400):
        assert len(world.store.load()) == 1
        world.clock.now += seconds
        task.work()
    assert not world.store.load()
