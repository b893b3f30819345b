"""Numbers that states give to people. Where a number alone says too little, a word before it has to name it."""

import re
from collections.abc import Callable
from typing import Any, Final

from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.se import personnummer

from operators.pii.detector import Detector


def _accepts(module: Any, group: int) -> Callable[[re.Match[str]], bool]:
    """Accepted by a module of python-stdnum: form, checksum and date."""
    return lambda match: bool(module.is_valid(match.group(group)))


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-]){pattern}(?![\w])", re.IGNORECASE)


def _number(pattern: re.Pattern[str], module: Any = None, group: int = 0) -> Detector:
    check = _accepts(module, group) if module is not None else lambda _match: True
    return Detector("NATIONAL_ID", pattern, min_digits=6, group=group, check=check)


def _named(words: str, number: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b[^\d\n]{{0,20}}({number})(?!\w)", re.IGNORECASE)


DETECTORS: Final = (
    # United States: no checksum; areas 000, 666 and 900 to 999, group 00 and serial 0000 are never given.
    _number(_pattern(r"(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}")),
    _number(_named("ssn|social security(?: number)?", r"(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}"), group=1),
    # United Kingdom: National Insurance number, whose letters and suffix are bounded.
    _number(
        _pattern(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
    ),
    _number(_named("nhs(?: number)?", r"\d{3} ?\d{3} ?\d{4}"), nhs, group=1),
    _number(_pattern(r"\d{8}[ -]?[A-Z]"), dni),
    _number(_pattern(r"[XYZ][ -]?\d{7}[ -]?[A-Z]"), nie),
    _number(_pattern(r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"), codicefiscale),
    _number(_pattern(r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}"), nir),
    _number(_pattern(r"(?:19|20)?\d{6}[-+]\d{4}"), personnummer),
    _number(_pattern(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), cpf),
    _number(_pattern(r"[2-9]\d{3} \d{4} \d{4}"), aadhaar),
    _number(_named("bsn|burgerservicenummer|sofinummer", r"\d{9}|\d{4}[ .]\d{2}[ .]\d{3}"), bsn, group=1),
    _number(_named(r"steuer-?id\w*|idnr|identifikationsnummer|tax id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}"), idnr, group=1),
    _number(_named("pesel", r"\d{11}"), pesel, group=1),
)
