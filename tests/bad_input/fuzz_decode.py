"""A coverage-guided search for a record that raises, leaks its text, or is decoded against the contract.

    make fuzz            # a minute, or SECONDS=

atheris sees the coverage of Python code only; the compiled parser is not instrumented.
"""

import sys
from pathlib import Path
from typing import Any

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["operators", "core"]):
    from operators.clean import clean
    from operators.decode import decode
    from operators.language import CompactDetector, detect_language
    from operators.redact import redact

from core.records import Origin, Record, Rejected
from core.settings import ContractSettings
from tests.bad_input.generator import corpus, hit, key_of
from tests.reading import MAX_RECORD_BYTES, read

_SETTINGS = ContractSettings(max_record_bytes=MAX_RECORD_BYTES)
_DETECTOR = CompactDetector()


def fuzz_one_input(data: bytes) -> None:
    """Check one record. The first byte decides whether the rest is a value, or the key or version of a null value."""
    kind, rest = data[:1], data[1:]
    record = Record(
        Origin("tickets.raw", 0, 0),
        key=rest if kind == b"k" else key_of(0),
        value=None if kind in {b"k", b"v"} else rest,
        timestamp_ms=0,
        headers=(("version", rest),) if kind == b"v" else (),
    )
    (item,) = decode([record], settings=_SETTINGS)
    assert isinstance(item, Rejected) == (read(record) is None), item
    if isinstance(item, Rejected):
        assert item.reason.isprintable()
        assert not hit(item.reason)
        return
    items: list[Any] = [item]
    for operator in (clean, redact):
        items = list(operator(items))
    detect_language(items, detector=_DETECTOR)


def main() -> None:
    """Write the tests' corpus to the folder of the last argument as seeds, and start the search."""
    folder = Path(sys.argv[-1])
    for number, record in enumerate(corpus()):
        (folder / f"seed-{number}").write_bytes(b"j" + (record.value or b"").replace(b"N-%d" % number, b"N-0"))
    atheris.Setup(sys.argv, fuzz_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
