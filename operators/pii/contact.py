"""E-mail addresses and telephone numbers."""

import re
from typing import Final

import phonenumbers

from operators.pii.detector import Detector, digits

_EMAIL: Final = re.compile(
    r"(?<![\w.+%-])[\w.+%'-]{1,64}(?:@|[ ]?[\[(]at[\])][ ]?)"
    r"(?:[\w-]{1,63}(?:\.|[ ]?[\[(]dot[\])][ ]?)){1,8}[^\W\d_][\w-]{1,23}(?![\w@])",
    re.IGNORECASE,
)
#: A plus or 00, then digits in groups.
_INTERNATIONAL: Final = re.compile(r"(?<![\w+.,-])(?:\+|00)[ ]?[1-9](?:[ ()./-]{0,2}\d){6,14}(?!\d)")
#: As written at home: an area in parentheses, North American groups, or a leading zero and at least one gap.
_NATIONAL: Final = re.compile(
    r"(?<![\w+.,/-])(?:"
    r"\(0?\d{2,5}\)[ ]?\d{2,4}(?:[ ./-]?\d{2,5}){1,4}"
    r"|[2-9]\d{2}[-. ][2-9]\d{2}[-. ]\d{4}"
    r"|0[1-9]\d{0,4}[ /-]\d{2,8}(?:[ -]?\d{2,8}){0,4}"
    r")(?![\d-])"
)
_NAMED: Final = re.compile(
    r"\b(?:phone|tel|telephone|call(?: me)?(?: at| on| under)?|mobile|cell|fax|whatsapp|telefon|handy|rückruf|mobil|"
    r"téléphone|portable|teléfono|móvil|telefono|cellulare|telefoon|nummer|reach me (?:at|on))"
    r"(?: (?:number|no|is|nr|ist|est|es|è))?[.:]?[ ]{0,2}(\(?\d(?:[ ()./-]{0,2}\d){5,14})(?!\d)",
    re.IGNORECASE,
)
_MIN_DIGITS: Final = 8
_MAX_DIGITS: Final = 15  # ITU-T E.164


def _is_number(match: re.Match[str]) -> bool:
    """A number that its country's plan allows; only its length, as plans change."""
    compact = digits(match.group())
    compact = compact.removeprefix("00") if match.group().startswith("00") else compact
    try:
        number = phonenumbers.parse(f"+{compact}")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)


def _has_enough_digits(match: re.Match[str]) -> bool:
    return _MIN_DIGITS <= len(digits(match.group())) <= _MAX_DIGITS


DETECTORS: Final = (
    Detector("EMAIL", _EMAIL, ("@", "at)", "at]")),
    Detector("PHONE", _INTERNATIONAL, ("+", "00"), min_digits=6, check=_is_number),
    Detector("PHONE", _NATIONAL, min_digits=6, check=_has_enough_digits),
    Detector("PHONE", _NAMED, min_digits=6, group=1),
)
