"""Classifies a line of a mail in bounded time: header, attribution, marker, or beginning of a signature."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from operators.mail.words import (
    DEVICES,
    FORWARDED,
    HEADERS,
    ORIGINAL,
    REPLY_ABOVE,
    SENT_FROM,
    WROTE,
    Header,
)

#: A line of a mail program is short; longer lines are prose.
MAX_LINE: Final = 300
#: An attribution or a marker has more characters than this: `转发的邮件：` has six.
MIN_LINE: Final = 6
#: "Sent from my …" lines are shorter still.
_MAX_SENT_FROM: Final = 80

#: The shortest of those that contain one another.
_SENT_FROM: Final = tuple(
    words for words in SENT_FROM if not any(other in words for other in SENT_FROM if other != words)
)

#: Characters before a header or a marker: quote marks, bold marks, white space.
_EDGE: Final = r"[\s>*_|#\u200e\u200f]{0,12}"
_MARKS: Final = " \t>*_|#\u200e\u200f"


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


_NAMES: Final[dict[str, Header]] = {name: header for header, names in HEADERS.items() for name in names}
#: Maximum characters of a header's name with the marks before it.
_MAX_NAME_END: Final = 40

_DASHES: Final = r"[-–—_=*]{2,60}"
_FORWARD: Final = re.compile(
    rf"^{_EDGE}(?:{_DASHES}\s{{0,3}}(?:{_any(FORWARDED)}).{{0,80}}|(?:{_any(FORWARDED)})\s{{0,3}}[:：]|"
    rf"{_DASHES}\s{{0,3}}[^\n]{{0,80}}(?:{_any(FORWARDED)})[^\n]{{0,80}}{_DASHES})\s{{0,3}}$",
    re.IGNORECASE,
)
_ORIGINAL: Final = re.compile(
    rf"^{_EDGE}(?:{_DASHES}\s{{0,3}}(?:{_any(ORIGINAL)}).{{0,80}}|(?:{_any(ORIGINAL)})\s{{0,3}}[:：])\s{{0,3}}$",
    re.IGNORECASE,
)
_RULED_STARTS: Final = ("--", "> --", ">--")
_RULES: Final = frozenset({"--", "__", "==", "**", "##", "~~", "––", "——"})
#: Characters of a separator line, apart from its words.
_RULED: Final = re.compile(r"[-–—_=#*~]{2,}")

_WROTE: Final = re.compile(
    rf"(?<![A-Za-z])(?:{_any(WROTE)})(?P<rest>[^:：]{{0,120}})[:：]\s{{0,3}}[*_]{{0,2}}$", re.IGNORECASE
)
#: Parts of an attribution apart from the writer: a time of day, a date, a year, an address.
_WHEN: Final = re.compile(
    r"\d{1,2}[:.h時时]\s?\d{2}|\d{1,4}[./\-年. ]\s?\d{1,2}[./\-月. ]|\b(?:19|20)\d{2}\b|\d{1,2}\.? \w{3,}"
)
_WHO: Final = re.compile(r"<[^<>]{0,200}|\[EMAIL\]|\S@\S")
#: "On Monday, Support wrote:" has no date in digits; it begins as an attribution does and is as short.
_OPENING: Final = re.compile(
    r"^\W{0,3}(?:on|am|le|el|il|op|em|den|w dniu|dne|dňa|în|pe|på|el dia)\s+\S.{0,80}$", re.IGNORECASE
)
#: Direction marks and bold marks that stand behind the colon.
_TRAILING: Final = " \t*_\u200e\u200f\u202a\u202c\u202b"
#: An attribution without a verb begins with its date.
_BEGINS_DATED: Final = re.compile(
    r"^\W{0,4}(?:\w{1,12}[.,]{0,2}\s){0,4}\d{1,4}[./\-年년]?\s?\w|"
    r"^\W{0,4}(?:בתאריך|في|missatge de|вт|ср|чт|пт|сб|вс|пн)\b",
    re.IGNORECASE,
)
_FIRST_PERSON: Final = re.compile(
    r"\b(?:i|we|ich|wir|je|j'ai|nous|yo|io|eu|ik|wij|jeg|jag|vi)\s+(?:\w+\s+)?$", re.IGNORECASE
)

#: Lotus Notes puts its attribution between hyphens.
_RULED_WROTE: Final = re.compile(
    rf"^{_EDGE}-{{2,60}}.{{1,160}}(?:{_any(WROTE)})\s?[:：]\s?-{{2,60}}\s{{0,3}}$", re.IGNORECASE
)
#: Some languages put the time behind the verb, in parentheses; Gmail in Russian, Japanese and Hebrew has no verb.
_TIMED: Final = re.compile(r"\([^()]{0,80}\d{1,2}[:.]\d{2}[^()]{0,20}\)\s?[:：]$")
_CLOCK: Final = re.compile(r"\d{1,2}[:.h時时시]\s?\d{2}")
_BRACKETED: Final = re.compile(r"[<(]\S{1,120}@\S{1,120}[>)]|<?\[EMAIL\]>?")

#: A mail gateway's warning above the mail.
_BANNER: Final = re.compile(
    r"^\W{0,8}(?:caution|warning|attention|external|notice|alert|achtung|warnung|vorsicht|extern|hinweis|externe|"
    r"expéditeur externe|atención|precaución|externo|correo externo|attenzione|esterno|atenção|waarschuwing|let op|"
    r"advarsel|varning|varoitus|uwaga|upozornění|внимание|注意|you don't often get|sie erhalten nicht oft|"
    r"vous ne recevez pas souvent|no suele recibir).{0,280}"
    r"(?:outside|external|extern|extérieur|externo|esterno|ekstern|ulkopuol|zewn|внеш|外部|originated|learn why|"
    r"e-mails? von|courrier|click links|links? (?:or|oder))",
    re.IGNORECASE,
)
_RULER: Final = re.compile(r"^[\s\-–—_=*~#]*$")


def header_of(line: str) -> Header | None:
    """The mail header that the line repeats, such as `Von: Ada`; None for other lines."""
    colon = line.find(":", 0, _MAX_NAME_END)
    if colon < 0:
        colon = line.find("：", 0, _MAX_NAME_END)
    return None if colon < 0 else _NAMES.get(line[:colon].strip(_MARKS).lower())


def header_block(lines: Sequence[str], at: int) -> int:
    """Number of lines of the header block that begins at `at`; 0 if none begins there.

    A block repeats at least three headers, a sender and a subject or recipient among them: two alone, such as `Von` and
    `Datum`, are what a traveller writes.
    """
    if header_of(lines[at]) is None:
        return 0
    found: set[Header] = set()
    end, blanks = at, 0
    for number in range(at, min(len(lines), at + _MAX_BLOCK)):
        line = lines[number]
        header = header_of(line)
        if header is not None:
            if header in found and header != "cc":
                break
            found.add(header)
            end, blanks = number + 1, 0
        elif not line.strip():
            blanks += 1
            if blanks > 1 or len(found) >= _HEADERS:
                break
        elif not _continues(line, found):
            break
        else:
            end = number + 1
    complete = len(found) >= _HEADERS and "from" in found and bool(found & {"subject", "to"})
    return end - at if complete else 0


#: Lines that a header block may take, recipients that wrap included.
_MAX_BLOCK: Final = 24
_HEADERS: Final = 3


def _continues(line: str, found: set[Header]) -> bool:
    """Whether a line goes on with a list of recipients, or is the value of a header that stood alone in a cell."""
    if not found or len(line) > MAX_LINE:
        return False
    return bool(_WHO.search(line)) or line.rstrip().endswith((";", ","))


def _may_mark(line: str) -> bool:
    """A fast pre-check: a marker contains a rule, or ends in a colon."""
    if not MIN_LINE <= len(line) <= MAX_LINE:
        return False
    text = line.strip(_MARKS)
    return text.endswith((":", "：")) or text[:2] in _RULES or line.lstrip(" \t>")[:2] in _RULES


def is_forward_marker(line: str) -> bool:
    """Whether the line heads a forwarded mail."""
    return _may_mark(line) and _FORWARD.match(line) is not None


def is_original_marker(line: str) -> bool:
    """Whether the line heads the mail that is answered."""
    return _may_mark(line) and _ORIGINAL.match(line) is not None


def is_reply_above(line: str) -> bool:
    """Whether the line is a helpdesk's "reply above this line"."""
    if not MIN_LINE < len(line) <= MAX_LINE:
        return False
    if _RULED.search(line) is None and len(line.split(None, _FEW_WORDS)) > _FEW_WORDS:
        return False
    lowered = line.lower()
    for word in _ABOVE:
        if word in lowered:
            return any(phrase in lowered for phrase in REPLY_ABOVE)
    return False


#: A word of every phrase in `REPLY_ABOVE`, for a fast pre-check.
_ABOVE: Final = (
    "above", "below", "oberhalb", "über", "au-dessus", "encima", "sopra", "acima", "boven", "over denne", "ovanför",
    "yläpuol", "powyżej", "nad t", "fölé", "satır", "выше", "вище", "上", "위에",
)  # fmt: skip
#: A separator without rules is a short sentence, and not a paragraph that mentions one.
_FEW_WORDS: Final = 12


def is_attribution(line: str) -> bool:
    """Whether the line attributes the following text to a writer and a time: `On Monday, Support wrote:`."""
    if not MIN_LINE <= len(line) <= MAX_LINE:
        return False
    if line.startswith(_RULED_STARTS) and _RULED_WROTE.match(line):
        return True
    line = line.rstrip(_TRAILING)
    return line.endswith((":", "：")) and (_names_date_and_address(line) or _says_wrote(line))


def _names_date_and_address(line: str) -> bool:
    """An attribution without a verb, or with the time behind it."""
    if not _CLOCK.search(line) or not _BRACKETED.search(line):
        return False
    return _TIMED.search(line) is not None or _BEGINS_DATED.match(line) is not None


def _says_wrote(line: str) -> bool:
    """A verb, with at most a name behind it; the customer's own `I wrote` doesn't count."""
    found = _WROTE.search(line)
    if found is None or len(found["rest"].split()) > _MAX_NAME or _FIRST_PERSON.search(line[: found.start()]):
        return False
    return any(look.search(line) for look in (_WHO, _WHEN)) or _OPENING.match(line) is not None


#: Words of a name and an address.
_MAX_NAME: Final = 7


def is_sent_from(line: str) -> bool:
    """Whether a device or program added the line by itself: `Sent from my iPhone`."""
    if not line or len(line) > _MAX_SENT_FROM or line.endswith(("?", "!")):
        return False
    lowered = line.lower()
    for words in _SENT_FROM:  # a generator takes twice as long
        if words in lowered:
            return any(name in lowered for name in DEVICES)
    return False


def may_begin_attribution(line: str) -> bool:
    """Whether an attribution that wraps over several lines may begin with this one."""
    if len(line) > MAX_LINE or line.rstrip().endswith((".", "?", "!")):
        return False
    return _WHEN.search(line) is not None or _WHO.search(line) is not None


def is_banner(line: str) -> bool:
    """Whether the line is a mail gateway's warning of external mail."""
    return len(line) <= _MAX_BANNER and _BANNER.match(line) is not None


_MAX_BANNER: Final = 600


def is_ruler(line: str) -> bool:
    """Whether the line is blank or drawn of hyphens, underscores and the like."""
    return len(line) <= MAX_LINE and _RULER.match(line) is not None


#: A colon at a line's end or behind a header, a rule, a quotation of HTML.
_SIGNS: Final = (":\n", ": ", ":\t", "：", "\n--", "\n__", "\n==", "\n##", "\n**", "\n—", "\n~~", "\ue000")
_STARTS: Final = ("--", "__", "==", "##", "**", "—")
_SUBJECTS: Final = re.compile(
    r"^\s*(?:fwd?|wg|tr|rv|i|enc|doorst|vs|vb|vl|pd|przek|továbbítás|ilt|ynt|πρθ|转发|轉寄|転送|전달|перес|fw)\s?[:：]",
    re.IGNORECASE,
)


def may_hold_history(text: str) -> bool:
    """A fast pre-check whether any part of a cleaned text may be cut. For most tickets it is False."""
    if "\n" not in text:
        return "\ue000" in text
    for sign in _SIGNS:  # a generator would take longer than the look-ups
        if sign in text:
            return True
    if text.startswith(_STARTS) or text.endswith((":", "：")):
        return True
    first, last = text.lstrip().split("\n", 1)[0], text.rstrip().rsplit("\n", 1)[-1]
    return is_sent_from(last) or is_banner(first) or is_reply_above(first)


def says_forwarded(subject: str) -> bool:
    """Whether a subject has a mail program's prefix of a forward: `Fwd:`, `WG:`, `TR:`."""
    return _SUBJECTS.match(subject) is not None
