"""Repairs and rebuilds refuse settings and logs that can't be trusted."""

from contextlib import nullcontext

import pytest

from core.errors import ConfigError
from maintenance import safety
from maintenance.safety import (
    Losses,
    doubt_about,
    is_implausible,
    refusal_to_delete,
    require_complete,
    require_like_versions,
    require_same_kind,
    unlike_setting,
)


@pytest.mark.parametrize(
    ("count", "total", "implausible"),
    [
        (0, 0, False),
        (0, 9, False),
        (1, 1, False),
        (1, 2, True),
        (1, 3, False),
        (20, 100, False),
        (21, 100, True),
        (21, 300, False),
        (300, 300, True),
    ],
)
def test_a_large_share_is_implausible(count: int, total: int, implausible: bool) -> None:
    """A share is implausible above a few and a tenth, or above a half."""
    assert is_implausible(count, total) is implausible


def test_the_setting_that_differs_is_named() -> None:
    """A setting that differs is named; one that only one side has is ignored."""
    noted = {"TICKETS_A": "1", "TICKETS_B": "", "TICKETS_C": "3"}
    assert unlike_setting(noted, {"TICKETS_A": "1", "TICKETS_B": ""}) is None
    found = unlike_setting(noted, {"TICKETS_A": "1", "TICKETS_B": "2"})
    assert found == "TICKETS_B is 2 here, and the workers wrote the index with not set"


def test_times_are_not_written_over_counts() -> None:
    """With another VERSION_SOURCE than the enrichment role's, every ticket of the log seems to be newer."""
    time = 1_700_000_000_000
    require_like_versions([])
    require_like_versions([(time, None), (None, 3), (time + 1, time), (4, 3), (time, 3), (5, 4)])
    with pytest.raises(ConfigError, match=r"2 ticket\(s\) have a time as their version .*VERSION_SOURCE"):
        require_like_versions([(time, 3), (time, 4), (time, None), (2, 1)])


def test_an_index_of_another_kind_of_version_is_not_built() -> None:
    """Times instead of the workers' counts are refused, and the reverse, as one kind always outranks the other."""
    time = 1_700_000_000_000
    for same in ([], [(4, 3), (4, 9)], [(time, time + 1)], [(time, 3), (4, 3), (5, 5)]):
        require_same_kind(same)
    for unlike in ([(time, 3)], [(3, time), (4, 4)]):
        with pytest.raises(ConfigError, match=r"1 of \d tickets have a time .*VERSION_SOURCE.*--new-settings"):
            require_same_kind(unlike)


def test_tickets_are_deleted_only_if_the_log_can_be_trusted() -> None:
    """Expired records, unusable records or too many surplus tickets refuse the deletion, with the number to confirm."""
    sound = {"surplus": 3, "indexed": 100, "unusable": 1, "records": 200}
    assert refusal_to_delete(**sound, doubt=None) is None
    assert "--delete-surplus 3" in (refusal_to_delete(**sound, doubt="the log is compacted") or "")
    for wrong in ({"unusable": 100}, {"indexed": 6}):
        assert "--delete-surplus 3" in (refusal_to_delete(**(sound | wrong), doubt=None) or "")
    assert doubt_about(expired=0, lost=0, compacted=False) is None


def test_a_repair_that_finds_any_share_plausible_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that accepts any number of surplus tickets fails the test above."""
    monkeypatch.setattr(safety, "is_implausible", lambda _count, _total: False)
    with pytest.raises(AssertionError):
        test_tickets_are_deleted_only_if_the_log_can_be_trusted()


@pytest.mark.parametrize(("accepted", "refused"), [(0, True), (399, True), (400, False)])
def test_a_rebuild_needs_the_exact_number_of_expired_records(accepted: int, refused: bool) -> None:
    """A rebuild on a trimmed log needs the exact, current number of expired records."""

    def check() -> None:
        require_complete("raw", Losses(expired=400), Losses(expired=accepted), records=100, indexed=0)

    if refused:
        with pytest.raises(ConfigError, match="repeat with --accept-expired 400"):
            check()
    else:
        check()


@pytest.mark.parametrize(("accepted", "refused"), [(0, True), (1, True), (2, False)])
def test_a_rebuild_without_records_that_can_not_be_read_needs_their_number(accepted: int, *, refused: bool) -> None:
    """Even a small share of unreadable records is refused, because they may have been good tickets."""
    with pytest.raises(ConfigError, match=r"300 record\(s\) .*--accept-unusable 2") if refused else nullcontext():
        require_complete("raw", Losses(2, lost=300), Losses(accepted), records=9_000, indexed=0)


@pytest.mark.parametrize(
    ("found", "accepted", "refused"),
    [
        (Losses(missing=100), Losses(), True),
        (Losses(missing=21), Losses(), True),
        (Losses(missing=20), Losses(), False),
        (Losses(missing=100), Losses(missing=99), True),
        (Losses(missing=100), Losses(missing=100), False),
        (Losses(missing=100, expired=400), Losses(expired=400), False),
        (Losses(missing=100, unusable=60), Losses(unusable=60), False),
    ],
)
def test_a_rebuild_from_a_log_of_few_tickets_needs_their_number(
    found: Losses, accepted: Losses, *, refused: bool
) -> None:
    """A log without most of the index's tickets may be another one; losses that explain it were accepted before."""
    if refused:
        with pytest.raises(ConfigError, match=f"repeat with --accept-missing {found.missing}"):
            require_complete("raw", found, accepted, records=100, indexed=100)
    else:
        require_complete("raw", found, accepted, records=100, indexed=100)
