"""The in-memory cache is bounded."""

from connectors.cache.memory import MemoryCache, MemoryLimiter
from core.cache import Subject


def test_the_longest_unread_is_forgotten_first() -> None:
    """A full cache evicts the least recently read value."""
    cache = MemoryCache(max_bytes=10_000)
    for key in "abc":
        cache.put(key, b"x" * 2_900, ttl_s=60)
    assert cache.get("a")
    cache.put("d", b"x" * 2_900, ttl_s=60)
    assert [key for key in "abcd" if cache.get(key)] == ["a", "c", "d"]


def test_bytes_are_bounded() -> None:
    """The cache never holds more bytes than its bound, through puts, replacements and deletes."""
    cache = MemoryCache(max_bytes=50_000)
    for number in range(2_000):
        cache.put(f"k{number % 300}", b"x" * (number * 37 % 4_000), ttl_s=60)
        cache.delete(f"k{number * 7 % 300}")
        assert cache._bytes == sum(entry.size for entry in cache._entries.values()) <= 50_000


def test_an_expired_value_frees_its_bytes() -> None:
    """A value that has expired is dropped when it is asked for."""
    now = [0.0]
    cache = MemoryCache(max_bytes=10_000, clock=lambda: now[0])
    cache.put("k", b"x", ttl_s=10)
    now[0] = 10.0
    assert cache.get("k") is None
    assert cache._bytes == 0


def test_counted_subjects_are_bounded() -> None:
    """A flood of addresses doesn't grow the counts, and doesn't reset those of busy subjects."""
    limiter = MemoryLimiter(window_s=300, clock=lambda: 0.0, max_subjects=100)
    for number in range(1_000):
        limiter.take([Subject("busy", 5)])
        limiter.take([Subject(f"address:{number}", 5)])
    assert len(limiter._counts) <= 101
