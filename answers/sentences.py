"""Splits texts into sentences by spans, and distinguishes statements from pleasantries."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from answers.quantities import is_month
from operators.pii.detector import words

#: Maximum sentences of a text.
_MOST: Final = 400

#: A line that quotes another message, or a quotation whose lines were joined, so that its end is unknown.
_QUOTE: Final = re.compile(r"^[ \t]*[>＞][^\n]*|:[ \t]*[>＞][^\n]*", re.MULTILINE)  # noqa: RUF001 - the full-width one is meant
#: The end of a sentence: punctuation, a blank line, a line before an item or a quotation; or a whole quotation.
_END: Final = re.compile(
    r"(?:(?<=\n)|\A)[ \t]*[>＞][^\n]*|:[ \t]*[>＞][^\n]*|[.!?…؟۔।]{1,8}[\"'”“’»›)\]]{0,4}(?=\s)|[。！？]+[」』”）]*|"  # noqa: RUF001
    r"\n(?=\s*\n)|\n(?=[ \t]*[>＞])|\n(?=\s*(?:[-*•–]|\d{1,2}[.)])\s)"  # noqa: RUF001
)
#: A quotation inside a line, or in marks that tell its beginning from its end.
_QUOTATION: Final = re.compile(
    r'(?<![\w"])"(?=\S)[^"\n]{1,600}(?<=\S)"(?!\w)|“[^“”]{1,600}”|„[^„“”]{1,600}[“”]|'
    r"‘(?:[^‘’\n]|’(?=\w)){1,600}’(?!\w)|‚[^‚‘’]{1,600}[‘’]|‹[^‹›]{1,600}›|"  # noqa: RUF001 - they are meant
    r"«[^«»]{1,600}»|「[^「」]{1,600}」|『[^『』]{1,600}』"
)
#: A sentence that judges the one before it, and belongs to it: "Doing so is a mistake.", "We don't recommend it."
_JUDGING: Final = re.compile(
    r"\s+(?:(?:but|however|yet|aber|mais|pero|ma|mas|maar),? )?(?:"
    r"(?:doing (?:so|this|that|it)|this|that|it)(?:['’]s| is| was| would be| will be)\b[^.!?\n]{0,60}?\b"  # noqa: RUF001
    r"(?:mistake|wrong|incorrect|dangerous|risky|unsafe|harmful|useless|pointless|bad idea|discouraged|unnecessary|"
    r"not (?:recommended|advis\w+|necessary|needed|safe|a good idea|supported|allowed))\b|"
    r"(?:please )?(?:never|(?:do not|don['’]t)) (?:do|try) (?:so|this|that|it)\b|"  # noqa: RUF001
    r"(?:we|i) (?:do not|don['’]t|would not|wouldn['’]t|never|can ?not|can['’]t) "  # noqa: RUF001
    r"(?:recommend|advise|suggest|support) (?:it|this|that|doing so)\b|"
    r"(?:we|i) (?:advise|recommend) against (?:it|this|that|doing so)\b|"
    r"(?:das|dies) (?:ist|wäre|war) [^.!?\n]{0,40}?\b(?:fehler|falsch|gefährlich|riskant|verboten|sinnlos|nicht)\b|"
    r"davon (?:raten|rate) |wir raten davon ab|(?:tun|machen) sie das nicht|"
    r"(?:c['’]est|ce serait) [^.!?\n]{0,20}?\b(?:erreur|dangereux|faux|inutile|interdit)\b|"  # noqa: RUF001
    r"(?:nous le déconseillons|ne le faites pas)\b|"
    r"(?:eso |esto )?es [^.!?\n]{0,20}?\b(?:error|peligroso|incorrecto|inútil)\b|(?:no lo (?:recomendamos|haga))\b|"
    r"è [^.!?\n]{0,20}?\b(?:errore|pericoloso|sbagliato|inutile)\b|non lo (?:consigliamo|fate|faccia)\b|"
    r"(?:isso )?é [^.!?\n]{0,20}?\b(?:erro|perigoso|errado|inútil)\b|não o (?:recomendamos|faça)\b|"
    r"dat is [^.!?\n]{0,20}?\b(?:fout|gevaarlijk|verkeerd|zinloos)\b|dat raden wij af|doe dat niet\b)",
    re.IGNORECASE,
)
_LAST_WORD: Final = re.compile(r"(\S+)\Z")
#: Abbreviations, whose dot ends no sentence.
_ABBREVIATIONS: Final = words(
    "abs al approx art bspw bzw ca cf co dept dr e.g eg etc evtl ext fig ggf i.d.r i.e ie inc incl inkl jr lt ltd max "
    "min mr mrs ms nr no núm p pág pp prof resp sr sra st str tel u.a usw v vgl vol vs z.b"
)
_BULLET: Final = re.compile(r"\s*(?:[-*•–]|\d{1,2}[.)])\s+")  # noqa: RUF001 - the dash is meant
_HAS_WORD: Final = re.compile(r"\w")
_NEXT_WORD: Final = re.compile(r"\s*([^\W\d_]{1,12})")
_DAY_DIGITS: Final = 2

_PLEASANTRY: Final = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|hallo|guten (?:tag|morgen|abend)|liebe[rs]?|moin|"
    r"sehr geehrte[rs]?|bonjour|bonsoir|cher|chère|hola|buenos días|buenas tardes|estimad[oa]|ciao|salve|gentile|"
    r"buongiorno|olá|bom dia|prezad[oa]|beste|goedemorgen|goedemiddag)\b[^.!?:;0-9]{0,40}[,!.]?|"
    r"(?:many |kind |best |warm )?(?:thanks|regards|wishes)\b.*|thank you\b.*|you(?:'|’)?(?: a)?re (?:very )?welcome.*|"  # noqa: RUF001
    r"(?:sincerely|cheers|best|yours\b.*)[,.!]?|(?:have|enjoy) a (?:nice|good|great|lovely)\b.*|"
    r"(?:i(?:'|’)?a?m |we(?:'|’)?a?re )?(?:very )?(?:glad|happy|pleased|great)\b[^0-9]*|"  # noqa: RUF001
    r"(?:please )?(?:let (?:us|me) know|don(?:'|’)t hesitate|feel free to|do not hesitate)\b.*|"  # noqa: RUF001
    r"(?:i(?:'|’)?a?m |we(?:'|’)?a?re )?(?:so |very |really )?sorry\b[^0-9]*|(?:we |i )?apologi[sz]e\b[^0-9]*|"  # noqa: RUF001
    r"(?:i(?:'|’)ll|i will|we(?:'|’)ll|we will|i am|i(?:'|’)m) (?:now )?(?:clos|mark)\w*\b[^0-9]*|"  # noqa: RUF001
    r"(?:mit )?(?:freundlichen|besten|viele[n]?|liebe|schöne) grüße[n]?.*|(?:vielen |besten |herzlichen )?dank\b.*|"
    r"danke\b.*|gern geschehen.*|(?:es )?freut (?:uns|mich)\b[^0-9]*|(?:bei fragen|melden sie sich)\b[^0-9]*|"
    r"merci\b.*|(?:bien )?cordialement.*|(?:muchas )?gracias\b.*|(?:un )?(?:cordial )?saludos?\b.*|"
    r"(?:molte )?grazie\b.*|(?:cordiali|distinti) saluti.*|(?:muito )?obrigad[oa]\b.*|atenciosamente.*|"
    r"(?:hartelijk |veel )?(?:dank|bedankt)\b.*|(?:met )?vriendelijke groet(?:en)?.*",
    re.IGNORECASE | re.DOTALL,
)

#: Punctuation around a word.
OUTER: Final = ".,;:!?\"'“”„«»()*{}<>|"

#: Ends of texts that state nothing.
_ASKING: Final = ("?", "？", "؟", ":")  # noqa: RUF001 - the full-width one is meant
#: Characters of a word in a script without spaces that may be a sentence.
_FEWEST: Final = 6

#: Characters [start, end) of a text.
Span = tuple[int, int]


@lru_cache(maxsize=2_048)
def spans_of(text: str) -> tuple[Span, ...]:
    """The sentences of a text, without the white space and bullets around them."""
    return tuple(_spans(text))[:_MOST]


@lru_cache(maxsize=256)
def statements(text: str) -> str:
    """The statements in `text`, on one line."""
    found = (text[start:end] for start, end in spans_of(text))
    return " ".join(plain(sentence) for sentence in found if is_statement(sentence))


def without_quotes(text: str) -> str:
    """`text` without quotations of another message; those of one sentence inside a line, such as labels, stay."""
    return _QUOTATION.sub(lambda found: "" if _is_long(found) else found.group(), _QUOTE.sub("", text))


def plain(text: str) -> str:
    """`text` on one line."""
    return " ".join(text.split())


@lru_cache(maxsize=2_048)
def is_statement(sentence: str) -> bool:
    """Whether the text is a statement: no question, greeting, thanks, farewell or quotation."""
    text = plain(sentence)
    if not text or text.startswith("|") or _QUOTE.search(sentence) or text.rstrip("\"'”’)").endswith(_ASKING):  # noqa: RUF001
        return False
    if _PLEASANTRY.fullmatch(text) is not None or _QUOTATION.fullmatch(text.rstrip(".!")) is not None:
        return False
    if any(map(_is_long, _QUOTATION.finditer(text))):
        return False
    return len(text.split()) > 1 or (not text.isascii() and len(text) > _FEWEST)


def _is_long(quotation: re.Match[str]) -> bool:
    """Whether a quotation has several sentences."""
    return len(spans_of(quotation.group()[1:-1])) > 1


def _spans(text: str) -> Iterator[Span]:
    start = 0
    inside = bytearray(len(text) + 1)  # a quotation is part of the sentence around it
    for quotation in _QUOTATION.finditer(text):
        inside[quotation.start() + 1 : quotation.end()] = b"\1" * (quotation.end() - quotation.start() - 1)
    for match in _END.finditer(text):
        if inside[match.end()] or not _ends_sentence(text, start, match):
            continue
        yield from _trimmed(text, start, match.end())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if _JUDGING.match(text, match.end()):
        return False
    if match.group()[0] != ".":
        return True
    last = _LAST_WORD.search(text, start, match.start())
    word = "" if last is None else last.group().casefold().lstrip("(\"'")
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return False
    if word.isdigit() and not text[start : match.start() - len(word)].strip(" \n-*•"):
        return False  # the number of an item
    following = _NEXT_WORD.match(text, match.end())
    if word.isdigit() and len(word) <= _DAY_DIGITS and following is not None and is_month(following[1]):
        return False  # the day of a date, as in "3. April"
    after = text[match.end() :].lstrip()[:1]
    return not after.islower()


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    bullet = _BULLET.match(text, start, end)
    start = start if bullet is None else bullet.end()
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if _HAS_WORD.search(text, start, end):
        yield start, end


def unwrapped(raw: str) -> str:
    """A word without the punctuation around it; a placeholder keeps its brackets, and a wildcard its star."""
    outer = OUTER.replace("*", "") if raw.count("*") % 2 else OUTER
    word = raw if raw.startswith("[") and raw.endswith("]") else raw.strip(outer).removesuffix("]")
    return word.lstrip("[") if not word.endswith("]") and not raw.startswith("[") else word
