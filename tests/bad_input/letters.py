"""What a worker must leave behind: exactly the bad records as letters, and the fold of the others in the index."""

from collections.abc import Sequence

from core.records import Record
from tests.bad_input.generator import hit
from tests.e2e.world import World
from tests.oracle import broken, fold


def check_letters(world: World, log: Sequence[Record]) -> int:
    """How many letters there are, of the records of `log`.

    Raises:
        AssertionError: a letter is missing, too many, altered or shows its record's text in its reason; or the index
            holds something else than the fold.
    """
    wanted = {(r.origin.partition, r.origin.offset): (r.key, r.value, r.headers) for r in broken(log)}
    found = {}
    for letter in world.letters():
        about = {name: value for name, value in letter.headers if name.startswith("dlq-")}
        place = (int(about["dlq-partition"]), int(about["dlq-offset"]))
        assert place not in found, "a letter comes once"
        assert not hit(about["dlq-reason"].decode())
        found[place] = (letter.key, letter.value, tuple(p for p in letter.headers if not p[0].startswith("dlq-")))
    assert found == wanted
    assert world.held() == {key: (expected.version, expected.deleted) for key, expected in fold(log).items()}
    return len(found)
