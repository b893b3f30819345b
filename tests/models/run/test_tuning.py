"""The batching parameters are measured for the machine."""

from pathlib import Path

import pytest

from core.cpu import Cpu
from models.run.tuning import FILE, SCALES, Tuning, find_tuning, tune

_CPU = Cpu("Xeon", ("avx512_vnni", "amx_int8"), 2)


@pytest.mark.parametrize(("cache", "overhead"), [(256, 4), (512, 12), (1024, 30), (100_000, 8)])
def test_a_machine_of_known_cost_is_recognised(cache: int, overhead: int) -> None:
    """The tuning of a simulated machine, which takes 1.5 times as long beyond its cache, finds its parameters."""

    def run(texts: int, length: int) -> float:
        tokens = texts * length
        return (overhead + tokens * (1 if tokens <= cache else 1.5)) * 1e-4

    found = tune(run, SCALES["cpu"])
    assert found.budget_tokens <= cache
    assert found.budget_tokens >= min(cache, overhead * 40) / 2
    assert abs(found.overhead_tokens - overhead) <= 2


def test_the_time_of_reading_the_weights_is_not_overhead() -> None:
    """The minimum time of a call, which reads the weights, is not taken for its overhead."""

    def run(texts: int, length: int) -> float:
        return (4 + max(50, texts * length)) * 1e-4

    assert tune(run, SCALES["cpu"]).overhead_tokens <= 6


def test_noise_in_one_round_changes_nothing() -> None:
    """A single slow call doesn't change the tuning, as medians are taken."""
    calls = 0

    def run(texts: int, length: int) -> float:
        nonlocal calls
        calls += 1
        return (10 + texts * length) * 1e-4 * (20 if calls == 8 else 1)

    assert tune(run, SCALES["cpu"]).budget_tokens >= 256


def test_it_is_measured_once_per_machine(tmp_path: Path) -> None:
    """A kept tuning is used again, unless the file is damaged or was measured on another machine or device."""
    measured: list[Tuning] = []

    def measure() -> Tuning:
        measured.append(Tuning(256, 5))
        return measured[-1]

    first = find_tuning(tmp_path, "cpu", _CPU, measure)
    assert find_tuning(tmp_path, "cpu", _CPU, measure) == first
    assert len(measured) == 1
    for content in ("{", '{"budget_tokens": 0, "overhead_tokens": 1, "machine": "another"}'):
        (tmp_path / FILE).write_text(content)
        assert find_tuning(tmp_path, "cpu", _CPU, measure) == first
    assert len(measured) == 3
    find_tuning(tmp_path, "cuda", _CPU, measure)
    assert len(measured) == 4


def test_a_tuning_measured_with_amx_is_not_used_without(tmp_path: Path) -> None:
    """CPUs of one name come with and without AMX, so the flags are part of the key."""
    assert find_tuning(tmp_path, "cpu", _CPU, lambda: Tuning(256, 5)).budget_tokens == 256
    without = Cpu(_CPU.name, ("avx512_vnni",), _CPU.cores)
    assert find_tuning(tmp_path, "cpu", without, lambda: Tuning(512, 9)).budget_tokens == 512


def test_a_tuning_from_before_flags_were_recorded_is_measured_again(tmp_path: Path) -> None:
    """The key of an old file is the CPU's name alone, and matches no kind of CPU with flags."""
    (tmp_path / FILE).write_text('{"budget_tokens": 128, "overhead_tokens": 8, "machine": "Xeon/cpu/3"}')
    assert find_tuning(tmp_path, "cpu", _CPU, lambda: Tuning(512, 9)).budget_tokens == 512


def test_a_read_only_cache_is_not_an_error(tmp_path: Path) -> None:
    """Without a place to keep the tuning it is measured at every start, as in an image with a read-only file system."""
    assert find_tuning(tmp_path / "missing", "cpu", _CPU, lambda: Tuning(256, 5)).budget_tokens == 256


def test_a_gpu_gets_larger_batches() -> None:
    """The tuning fits a simulated GPU, on which a launch costs 1,000 tokens, and fewer than 8,192 leave it idle."""
    found = tune(lambda texts, length: (1000 + max(texts * length, 8192)) * 1e-7, SCALES["cuda"])
    assert found.budget_tokens >= 32_768
    assert found.overhead_tokens > 1000
