"""Ids of points: deterministic, and one per chunk."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from core.identity import point_id


def test_ids_are_those_of_the_first_release() -> None:
    """Ids equal those recorded at the first release: changed ones would duplicate every point on a replay."""
    assert point_id("acme", "T-1", 0) == "2cf3658d-4f1e-5a73-ae6c-9ad578eb2cef"
    assert point_id("acme", "T-1", 1) == "afaa9fd3-d40e-551d-81ae-ee2eb79d755e"
    assert point_id("bank", "käse/1", 7) == "3e464483-ddbd-54b4-bbd8-243036a11d23"


def test_an_id_is_a_uuid_of_version_5() -> None:
    """An id is a UUID, which the index requires, of the version that is made from names."""
    assert UUID(point_id("acme", "T-1", 0)).version == 5


def test_no_two_chunks_share_an_id() -> None:
    """Ids of different parts don't collide when concatenated: ab + c and a + bc differ, as do 1 + 11 and 11 + 1."""
    names = [("ab", "c", 0), ("a", "bc", 0), ("a", "1", 11), ("a", "11", 1), ("a", "1", 1), ("a", "1/1", 1)]
    assert len({point_id(*name) for name in names}) == len(names)


@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 10_000))
def test_it_is_the_standard_librarys_uuid5(tenant_id: str, ticket_id: str, chunk: int) -> None:
    """The implementation by hand gives the same ids as `uuid.uuid5`."""
    namespace = UUID("6f1f7a52-3b0e-5a0c-9d0e-7c1f0b6f4b11")
    assert point_id(tenant_id, ticket_id, chunk) == str(uuid5(namespace, f"{tenant_id}\x1f{ticket_id}\x1f{chunk}"))
