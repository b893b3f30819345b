"""JSON escapes of lone surrogates."""

import re
from typing import Final

#: A pair, a lone surrogate, or any other escape, which is skipped whole.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_REPLACED: Final = rb"\ufffd"
#: An id with a lone surrogate is rejected, because two ids might become one.
HALF_IN_ID: Final = "ticket_id: it has half of a surrogate pair, which no text can hold"


def replace_half_surrogates(value: bytes) -> bytes | None:
    """`value` with U+FFFD for each half of a surrogate pair, or None if it holds none.

    JavaScript writes such a half for a string that was cut inside an emoji; RFC 8259 allows it (section 8.2), and no
    text can hold it.
    """
    found = False

    def replaced(escape: re.Match[bytes]) -> bytes:
        nonlocal found
        if escape["half"] is None:
            return escape[0]
        found = True
        return _REPLACED

    whole = _ESCAPE.sub(replaced, value)
    return whole if found else None
