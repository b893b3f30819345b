"""National identification numbers. Ambiguous forms count only after a word such as "SSN"."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final, Protocol

from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.iso7064 import mod_11_2
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.th import pin
from stdnum.tr import tckimlik

from operators.pii.detector import Detector
from operators.pii.runs import is_compact_date
from operators.pii.view import View

Check = Callable[[str], bool]


class _NumberModule(Protocol):
    """A module of python-stdnum, which ships no types."""

    def is_valid(self, number: str) -> bool: ...


def _valid(module: _NumberModule) -> Check:
    """Accepted by a module of python-stdnum: form, checksum and date."""
    return module.is_valid


def _is_resident_id(number: str) -> bool:
    """China's (GB 11643): a date of birth, and a check digit by ISO 7064."""
    compact = re.sub(r"[ -]", "", number).upper()
    return is_compact_date(compact[6:14]) and bool(mod_11_2.is_valid(compact))


def _is_snils(number: str) -> bool:
    """Russia's: nine digits weighted 9 to 1, their sum modulo 101."""
    compact = re.sub(r"[ -]", "", number)
    total = sum(int(digit) * (9 - at) for at, digit in enumerate(compact[:9])) % 101
    return total % 100 == int(compact[9:])


def _form(pattern: str) -> re.Pattern[str]:
    """A form that begins at a digit, with its prefix looked back at: digits are few, letters many."""
    return re.compile(rf"{pattern}(?![0-9_])")


def _always(_number: str) -> bool:
    return True


_SSN: Final = r"(?!000|666|9)\d{3}"
#: Sizes that the first group of digits may have, the form in lower case, and the check.
_FORMS: Final[tuple[tuple[tuple[int, ...], re.Pattern[str], Check], ...]] = (
    # United States: no checksum; areas 000, 666 and 900 to 999, group 00 and serial 0000 are never given.
    ((3,), _form(rf"{_SSN}([- ]|[ ]?-[ ]?)(?!00)\d{{2}}\1(?!0000)\d{{4}}"), _always),
    # Spain, France, Sweden, Brazil
    ((8,), _form(r"\d{8}[ -]?[a-z]"), _valid(dni)),
    (
        (1, 3, 5, 6, 7, 10, 13, 15),
        _form(r"[12][ .-]?\d{2}[ .-]?\d{2}[ .-]?\d[\dab][ .-]?\d{3}[ .-]?\d{3}[ .-]?\d{2}"),
        _valid(nir),
    ),
    ((6, 8), _form(r"(?:19|20)?\d{6}[-+]\d{4}"), _valid(personnummer)),
    ((3,), _form(r"\d{3}\.\d{3}\.\d{3}[-/]\d{2}"), _valid(cpf)),
    # China, Korea, Thailand, Russia
    ((6, 14, 17, 18), _form(r"[1-9]\d{5}[ ]?(?:19|20)\d{6}[ ]?\d{3}[\dx]"), _is_resident_id),
    ((6,), _form(r"\d{6}-[1-8]\d{6}"), _valid(rrn)),
    ((1,), _form(r"[1-8]([ -])\d{4}\1\d{5}\1\d{2}\1\d"), _valid(pin)),
    ((3,), _form(r"\d{3}-\d{3}-\d{3}[ -]\d{2}"), _is_snils),
    # Switzerland, Belgium, Finland, Chile
    ((3, 7, 11, 13), _form(r"756\.?\d{4}\.?\d{4}\.?\d{2}"), _valid(ahv)),
    ((2,), _form(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"), _valid(nn)),
    ((6,), _form(r"\d{6}[-+a]\d{3}[0-9a-y]"), _valid(hetu)),
    ((1, 2), _form(r"\d{1,2}\.\d{3}\.\d{3}-[\dk]"), _valid(rut)),
)
_BY_SIZE: Final = {
    size: tuple((form, check) for sizes, form, check in _FORMS if size in sizes)
    for size in {size for sizes, _, _ in _FORMS for size in sizes}
}
#: The same for numbers that begin with letters, searched from their first digit.
_LETTERED: Final[tuple[tuple[re.Pattern[str], re.Pattern[str], Check], ...]] = (
    # United Kingdom: National Insurance number, of which only some letters are valid.
    (
        re.compile(r"(?!bg|gb|kn|nk|nt|tn|zz)[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z][ -]?$"),
        _form(r"\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[a-d]"),
        _always,
    ),
    (re.compile(r"[xyz][ -]?$"), _form(r"\d{7}[ -]?[a-z]"), _valid(nie)),
    (re.compile(r"[a-z]{4}$"), _form(r"\d{6}[hm][a-z]{5}[a-z0-9]\d"), _valid(curp)),
)


_TAX_CODE: Final = re.compile(r"[0-9](?<=[a-z]{6}[0-9])[0-9][a-z][0-9]{2}[a-z][0-9]{3}[a-z](?![a-z0-9])")


def _named(words: str, number: str, check: Check) -> tuple[tuple[str, ...], re.Pattern[str], Check]:
    names = tuple(words.split("|"))
    either = "|".join(map(re.escape, names))
    return names, re.compile(rf"(?:{either})[^\d\n]{{0,24}}\n?[ ]?({number})(?![a-z0-9])"), check


#: After a word: the number alone says too little.
_NAMED: Final = (
    _named("ssn|social security", rf"{_SSN}[-. ]?(?!00)\d{{2}}[-. ]?(?!0000)\d{{4}}", _always),
    _named("nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", _valid(nhs)),
    _named("bsn|burgerservicenummer|sofinummer", r"\d{9}|\d{4}[ .]\d{2}[ .]\d{3}", _valid(bsn)),
    _named(
        "steuer-id|steuerid|steueridentifikationsnummer|idnr|identifikationsnummer|tax id",
        r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
        _valid(idnr),
    ),
    _named("pesel", r"\d{11}", _valid(pesel)),
    _named("aadhaar|aadhar|uidai|आधार", r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", _valid(aadhaar)),
    _named("cpf", r"\d{11}", _valid(cpf)),
    _named("tckn|tc kimlik|t.c. kimlik|kimlik no", r"\d{11}", _valid(tckimlik)),
    _named("cpr", r"\d{6}-?\d{4}", _always),
    _named("personnummer|personal number", r"(?:19|20)?\d{6}[-+ ]?\d{4}", _valid(personnummer)),
    _named("снилс", r"\d{11}", _is_snils),
    _named("身份证|身分證", r"\d{17}[\dx]", _always),
    _named("주민등록번호|주민번호", r"\d{6}[- ]?[1-8]\d{6}", _always),
    _named("マイナンバー|個人番号", r"\d{4}[ -]?\d{4}[ -]?\d{4}", _always),
    _named("เลขบัตรประชาชน|เลขประจำตัวประชาชน|บัตรประชาชน", r"\d{13}", _valid(pin)),
    _named(
        "passport|reisepass|passnummer|passeport|pasaporte|passaporto|паспорт|护照|パスポート|여권",
        r"(?:[a-z]{1,2} ?)?\d{2} ?\d{2} ?\d{3,6}",
        _always,
    ),
)
_OTHERS: Final = frozenset({"order", "phone"})


def numbers(view: View) -> Iterator[tuple[int, int]]:
    """Numbers whose form or checksum tells them, left to right in each run of digits."""
    for start, end in chain.from_iterable(run.groups for run in view.runs):
        before = view.lower[max(0, start - 8) : start]
        found = None
        if before[-1:].isalpha() or before[-2:-1].isalpha():
            found = _lettered(view, start, before)
        alone = end - start == 1 and view.text[end : end + 1] not in _GAPS
        if found is None and not alone and _is_bare(before):
            found = _bare(view, start, end - start)
        if found is not None:
            yield found


_GAPS: Final = frozenset(" .-")  # behind a first group of one digit


def _lettered(view: View, start: int, before: str) -> tuple[int, int] | None:
    for prefix, form, check in _LETTERED:
        lead = prefix.search(before)
        match = None if lead is None else form.match(view.lower, start)
        if lead is not None and match is not None:
            first = start - len(lead.group())
            if _fits(view, first, match.end(), check):
                return first, match.end()
    return None


def _bare(view: View, start: int, size: int) -> tuple[int, int] | None:
    for form, check in _BY_SIZE.get(size, ()):
        match = form.match(view.lower, start)
        if match is not None and _fits(view, start, match.end(), check):
            return match.span()
    return None


def codes(view: View) -> Iterator[tuple[int, int]]:
    """Italy's tax code, whose digits stand apart."""
    for match in _TAX_CODE.finditer(view.lower):
        start = match.start() - 6
        if _fits(view, start, match.end(), _valid(codicefiscale)):
            yield start, match.end()


def _is_bare(before: str) -> bool:
    """No letter, digit or sign joins the number to something before it; a table's cell may be glued to it."""
    if not before or not before[-1].isascii():
        return True
    if before[-1].isalnum() or before[-1] == "_":
        return before[-3:].isalpha() and len(before) >= 3
    return not (before[-1] in "-.+/" and before[-2:-1].isalnum() and before[-2:-1].isascii())


def _fits(view: View, start: int, end: int, check: Check) -> bool:
    """A valid number that nothing names as an order or a part."""
    lower = view.lower
    before = lower[max(0, start - 2) : start]
    if start and before[-1:].isascii() and before[-1:].isalnum() and view.text[start].isalpha():
        return False
    after = view.text[end : end + 2]
    if after[:1] in {"-", ".", " "} and after[1:].isdigit() and (after[0] != " " or " " in lower[start:end]):
        return False
    if after[:1].isascii() and after[:1].isalpha() and not (after[0].isupper() and lower[end - 1].isdigit()):
        return False
    if not check(lower[start:end].upper()):
        return False
    return view.label(start) not in _OTHERS


def named_numbers(view: View) -> Iterator[tuple[int, int]]:
    """Numbers that only the word before them tells."""
    lower = view.lower
    for names, pattern, check in _NAMED:
        if any(name in lower for name in names):
            for match in pattern.finditer(lower):
                if check(match.group(1).upper()):
                    yield match.span(1)


DETECTORS: Final = (
    Detector("NATIONAL_ID", numbers, min_digits=6),
    Detector("NATIONAL_ID", codes, min_digits=6),
    Detector("NATIONAL_ID", named_numbers, min_digits=6),
)
