"""Quantities: numbers, units, days and dates, and how neighbouring ones are joined.

Words are folded and listed for the languages of `lexicon`. "2 days 3 hours" has "2 day" and "3 hour", so no claim can
combine the number of one with the unit of the other.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from answers.lexicon import by_word, rows_of
from operators.pii.detector import words
from operators.terms import bare

#: Number words.
_NUMBERS: Final = """
0: zero null cero nul; 2: two zwei deux dos due dois duas twee both beide beides;
3: three drei trois tres tre drie; 4: four vier quatre cuatro quattro quatro;
5: five funf cinq cinco cinque vijf; 6: six sechs seis sei zes; 7: seven sieben sept siete sette sete zeven;
8: eight acht huit ocho otto oito; 9: nine neun neuf nueve nove negen; 10: ten zehn dix diez dieci dez tien;
11: eleven elf onze once undici; 12: twelve zwolf douze doce dodici doze twaalf; 13: thirteen dreizehn;
14: fourteen vierzehn; 15: fifteen funfzehn quinze quince quindici vijftien; 16: sixteen; 17: seventeen;
18: eighteen; 19: nineteen; 20: twenty zwanzig vingt veinte venti vinte twintig;
30: thirty dreissig trente treinta trenta trinta dertig; 40: forty vierzig; 50: fifty funfzig cinquante;
60: sixty sechzig soixante; 70: seventy; 80: eighty; 90: ninety; 100: hundred hundert cent cien cento honderd;
1000: thousand tausend mille mil duizend; 1000000: million millions millionen; 1000000000: billion billions;
1000000000: milliarde milliarden milliard milliards;
1/2: half halb halbe moitie mitad meta metade demi demie media medio
1/2: mezza mezzo meia meio; 12: dozen dutzend; x2: twice double zweimal doppelt; x3: thrice triple dreimal;
3rd: third dritte dritten troisieme tercera; 2nd: zweite zweiten deuxieme segunda tweede
"""
_NUMBER_LANGUAGES: Final = {
    "once": "es",
    "due": "it",
    "sei": "it",
    "meta": "it",
    "six": "",
    "cent": "fr",
    "mille": "fr",
    "tien": "nl",
    "media": "es",
    "medio": "es",
    "mezza": "it",
    "mezzo": "it",
    "meia": "pt",
    "meio": "pt",
}

#: Units, days and months, which are as exact as the number beside them. May is a verb, too: see `reading`.
_UNITS: Final = """
second: seconds secs sec sekunde sekunden seconde secondes segundo segundos secondo secondi seconden
minute: minutes mins min minuten minuto minutos minuti minuut;
hour: hours hrs hr h stunde stunden heure heures hora horas
hour: ora ore uur; day: days tag tage tagen jour jours dia dias giorno giorni dag dagen
week: weeks woche wochen semaine semaines semana semanas settimana settimane weken
month: months monat monate monaten mois mes meses mese mesi maand maanden
year: years jahr jahre jahren an ans annee annees ano anos anno anni jaar jaren
percent: percent prozent pourcent porcentaje percento procent; dollar: dollars usd; euro: euros eur; pound: pounds gbp
quarter: quarters quartal trimestre kwartaal; byte: bytes; kilobyte: kb kilobytes; megabyte: mb mib megabytes
gigabyte: gb gib gigabytes; terabyte: tb tib terabytes
kilometre: km; kilogram: kg; metre: metres meter meters; millisecond: ms milliseconds
monday: montag lundi lunes lunedi segunda-feira maandag; tuesday: dienstag mardi martes martedi dinsdag
wednesday: mittwoch mercredi miercoles mercoledi woensdag; thursday: donnerstag jeudi jueves giovedi donderdag
friday: freitag vendredi viernes venerdi vrijdag; saturday: samstag sonnabend samedi sabado sabato zaterdag
sunday: sonntag dimanche domingo domenica zondag; today: heute hoy oggi hoje vandaag;
tomorrow: morgen demain amanha domani
yesterday: gestern hier ayer ontem ieri gisteren
january: jan januar janvier enero gennaio janeiro januari; february: feb februar fevrier febrero febbraio fevereiro
february: februari; march: mar marz mars marzo marco maart; april: apr avril abril aprile; may: mai mayo maggio maio mei
june: jun juni juin junio giugno junho; july: jul juli juillet julio luglio julho
august: aug aout agosto augustus; september: sep sept septembre septiembre settembre setembro
october: oct oktober octobre octubre ottobre outubro; november: nov novembre noviembre novembro
december: dec dez dezember decembre diciembre dicembre dezembro
"""

_MONTHS: Final = words("january february march april may june july august september october november december")
CURRENCIES: Final = frozenset("€$£")
_SIGNS: Final = CURRENCIES | {"%"}
_NUMBER: Final = re.compile(r"[<>≤~]?-?\d[\d.:/]*")
#: Halves of the day; "am" is a common word unless it follows a number.
_HALVES: Final = {"am": "am", "a.m": "am", "pm": "pm", "p.m": "pm"}

#: Bounds of the number behind them: a word, or a word of comparison and the one behind it.
_BOUNDS: Final = by_word(
    ">: over above exceeding uber; <: under below unter; -: minus;"
    "~: about around approximately roughly circa ca etwa ungefahr environ aproximadamente ongeveer"
)
_COMPARED: Final = by_word(">: more mehr plus mas piu mais meer; <: less fewer weniger moins menos meno minder")
_THAN: Final = words("than als de di que dan")
_UP_TO: Final = frozenset({("up", "to"), ("bis", "zu")})
#: Words between the ends of a range, and those before "between 5 and 7".
_RANGE: Final = words("to bis a tot ate hasta")
_AND: Final = words("and und et y e en")
_BETWEEN: Final = words("between zwischen entre tra fra tussen")
#: Number words that multiply the number before them.
_POWERS: Final = frozenset({"100", "1000", "1000000", "1000000000"})

_MARKS: Final = dict.fromkeys(map(ord, "‐‑‒–−"), "-") | dict.fromkeys(map(ord, "’‘`´"), "'")  # noqa: RUF001
#: Exponents, which NFKC would append to the number before them.
_POWERS_OF: Final = {ord(sign): f"^{digit}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
#: A dash ends a clause, even without spaces around it.
_DASHES: Final = dict.fromkeys(map(ord, "—―"), " - ")
_THOUSANDS: Final = re.compile(r"(?<=\d)[,'](?=\d{3}(?!\d))")
#: The comma before decimals in most languages.
_DECIMAL: Final = re.compile(r"(?<=\d),(?=\d)")
#: A sign of comparison before a number; the number of its group gives its words.
_COMPARISON: Final = re.compile(r"(?<![-=\w])(?:(<=\s*|≤\s*)|(>=\s*|≥\s*)|(<\s*)|>)(?=\d)")
_WORDS_OF: Final = {1: " up to ", 2: " at least ", 3: " under ", None: " over "}
#: Abbreviations before a number. Their dots don't end a sentence.
_ABBREVIATED: Final = re.compile(r"\b(?:(approx|ca)|(max)|min)\.\s*(?=\d)", re.IGNORECASE)
_WORDS_OF_ABBREVIATION: Final = {1: "about ", 2: "at most ", None: "at least "}
_SHARE: Final = re.compile(r"\bone (?=(?:in|out of) )", re.IGNORECASE)
#: A range with spaces around its dash.
_DASHED: Final = re.compile(r"\b(\d{1,4}) - (?=\d{1,4}\b)")

#: The number in an ordinal before a word, as in "3. April".
_ORDINAL: Final = re.compile(r"\b(\d{1,2})\. (?=(\w+))")


def exact_of(word: str, language: str | None, before: str) -> str | None:
    """The number, unit, day, month or half of a day that a word means, or None. `before` is the token before it."""
    if word in _HALVES and _NUMBER.fullmatch(before):
        return _HALVES[word]
    needed = _NUMBER_LANGUAGES.get(word)
    number = None if needed and needed != language else _NUMBER_BY_WORD.get(word)
    if number is not None:
        return number
    return None if word in _UNITS_OF and _UNITS_OF[word] != language else _UNIT_BY_WORD.get(word)


def bounded(token: str, heard: Sequence[str]) -> str:
    """A number with the sign of its bound, if the words before it set one: `>5` for "more than 5"; else `token`."""
    if not heard or not _NUMBER.fullmatch(token):
        return token
    sign = _BOUNDS.get(heard[-1], "")
    if len(heard) > 1 and not sign:
        ends = tuple(heard[-2:]) in _UP_TO or _ends_range(token, heard)
        sign = _COMPARED.get(heard[-2], "") if heard[-1] in _THAN else "≤" * ends
    return sign + token


def _ends_range(token: str, heard: Sequence[str]) -> bool:
    """Whether a number is the upper end of a range, as in "5 to 7" and "between 5 and 7"; times are points."""
    if ":" in token or not _NUMBER.fullmatch(heard[-2]):
        return False
    first = heard[-3] if len(heard) > 2 else ""  # noqa: PLR2004 - the word before the range
    return (heard[-1] in _RANGE and first != "from") or (heard[-1] in _AND and first in _BETWEEN)


def joined(before: str, token: str) -> str | None:
    """A number and the unit, sign, month or half of a day right beside it as one token; None if they aren't one."""
    if _NUMBER.fullmatch(before) and (token in _MEASURES or token in _SIGNS or token in _POWERS):
        return f"{before} {token}"
    if _NUMBER.fullmatch(token) and (before in _SIGNS or before in _MONTHS):
        return f"{token} {before}"
    return None


def is_month(word: str) -> bool:
    """Whether a word is the name of a month."""
    return _UNIT_BY_WORD.get(bare(word.casefold())) in _MONTHS


def normalised(text: str) -> str:
    """`text` in NFKC on one line, with one kind of hyphen, apostrophe and decimal point, and no thousands marks."""
    text = unicodedata.normalize("NFKC", text.translate(_POWERS_OF)).translate(_MARKS | _DASHES)
    return _DECIMAL.sub(".", _THOUSANDS.sub("", " ".join(text.split())))


def with_comparisons(text: str) -> str:
    """`text` with words for the signs of comparison before numbers, and ranges without spaces."""
    text = _ABBREVIATED.sub(lambda found: _WORDS_OF_ABBREVIATION[found.lastindex], text)
    text = _SHARE.sub("1 ", text)
    return _DASHED.sub(r"\1-", _COMPARISON.sub(lambda found: _WORDS_OF[found.lastindex], text))


def without_ordinals(text: str) -> str:
    """`text` without the dots of days before a month, which end no clause."""
    return _ORDINAL.sub(lambda found: f"{found[1]} " if is_month(found[2]) else found[0], text)


_NUMBER_BY_WORD: Final = by_word(_NUMBERS)
_UNIT_BY_WORD: Final = {**by_word(_UNITS), **{row.split(":")[0]: row.split(":")[0] for row in rows_of(_UNITS)}}
del _UNIT_BY_WORD["may"]
_MEASURES: Final = frozenset(_UNIT_BY_WORD.values()) | frozenset(_HALVES.values())
#: Words of one language that mean something else in another.
_UNITS_OF: Final = {
    "an": "fr",
    "ans": "fr",
    "ore": "it",
    "h": "de",
    "tag": "de",
    "mes": "es",
    "hier": "fr",
    "morgen": "de",
    "mar": "en",
    "mars": "fr",
    "marco": "pt",
    "mayo": "es",
}
