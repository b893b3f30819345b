"""The facts about the CPU that a model's speed depends on."""

import os
import platform
from pathlib import Path

from core.cpu import Cpu, read_cpu


def test_name_and_flags_are_read_from_linux(tmp_path: Path) -> None:
    """The name is the first processor's, and only flags that matter for speed are kept, in a fixed order."""
    file = tmp_path / "cpuinfo"
    processor = "processor\t: 0\nmodel name\t: Xeon: 8\nflags\t\t: fpu amx_int8 avx2 sse2 avx512_vnni\n\n"
    file.write_text(processor * 2)
    assert read_cpu(file) == Cpu("Xeon: 8", ("avx2", "avx512_vnni", "amx_int8"), len(os.sched_getaffinity(0)))


def test_arm_lists_its_flags_as_features(tmp_path: Path) -> None:
    """An ARM CPU has no name in the file: it is named by its architecture."""
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n")
    found = read_cpu(file)
    assert (found.name, found.flags) == (platform.machine(), ("asimddp", "i8mm"))


def test_without_the_file_there_are_no_flags(tmp_path: Path) -> None:
    """Other systems than Linux get the architecture as the name."""
    found = read_cpu(tmp_path / "missing")
    assert (found.name, found.flags) == (platform.machine(), ())


def test_cpus_of_one_name_differ_by_their_flags() -> None:
    """A virtual CPU without AMX is another kind than one with it."""
    assert Cpu("Xeon", ("avx2", "amx_int8"), 2).kind == "Xeon (avx2 amx_int8)"
    assert Cpu("Xeon", ("avx2",), 2).kind == "Xeon (avx2)"
    assert Cpu("Xeon", (), 2).kind == "Xeon"
