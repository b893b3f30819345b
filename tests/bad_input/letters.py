"""Checks that the dead letters are exactly the bad records, and the index is the fold of the others."""

from collections.abc import Sequence

from core.records import Record
from tests.bad_input.generator import hit
from tests.e2e.world import World
from tests.oracle import broken, fold


def check_letters(world: World, log: Sequence[Record]) -> int:
    """Check the dead letters and the index after `log`, and return the number of letters.

    Raises:
        AssertionError: a letter is missing, surplus or altered, or its reason leaks the record's text; or the index
            is not the fold.
    """
    wanted = {(r.origin.partition, r.origin.offset): (r.key, r.value, r.headers) for r in broken(log)}
    found = {}
    for letter in world.letters():
        about = {name: value or b"" for name, value in letter.headers if name.startswith("dlq-")}
        place = (int(about["dlq-partition"]), int(about["dlq-offset"]))
        assert place not in found, "two letters of one record"
        assert not hit(about["dlq-reason"].decode())
        found[place] = (letter.key, letter.value, tuple(p for p in letter.headers if not p[0].startswith("dlq-")))
    assert found == wanted
    assert world.held() == {key: (expected.version, expected.deleted) for key, expected in fold(log).items()}
    return len(found)
