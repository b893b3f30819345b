"""A coverage-guided search for a record that raises, shows its text, or is judged otherwise than the contract says.

    make fuzz            # a minute; SECONDS= says how long

atheris guides by the coverage of Python code; the parser underneath is compiled and not seen into.
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


def one(data: bytes) -> None:
    """The first byte says what the rest is: a value, a null value's key, or its version."""
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
    """Seeds are the corpus of the tests, in the folder that the last argument names."""
    folder = Path(sys.argv[-1])
    for number, record in enumerate(corpus()):
        (folder / f"seed-{number}").write_bytes(b"j" + (record.value or b"").replace(b"N-%d" % number, b"N-0"))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
