"""The description of the machine in a measured row."""

from pathlib import Path

import msgspec

import bench
from bench.machine import Machine, this_machine
from bench.suite import Row
from core.cpu import read_cpu


def test_a_row_records_the_cpus_flags() -> None:
    """A row records the CPU's name and flags, because CPUs of one name differ in speed."""
    assert this_machine().flags == read_cpu().flags


def test_the_hardware_is_shown_with_its_flags() -> None:
    """The page shows name, flags and cores, and leaves the flags out of rows that have none."""
    assert Machine("c", "Xeon", 2, "3.11", {}, ("avx2", "amx_int8")).hardware == "Xeon (avx2 amx_int8), 2 cores"
    assert Machine("c", "Xeon", 2, "3.11", {}).hardware == "Xeon, 2 cores"


def test_rows_from_before_flags_were_recorded_are_read() -> None:
    """Rows that were kept before flags were recorded can be read."""
    lines = (Path(bench.__file__).parent / "results" / "rows.jsonl").read_bytes().splitlines()
    assert lines
    for line in lines:
        msgspec.json.decode(line, type=Row)
