"""Words that limit what a sentence says: conditions, certainty, judgements and unneeded steps.

They are in the languages of `lexicon`, and folded unless that would make two words alike, as "wurde" and "würde".
"""

from collections.abc import Sequence
from typing import Final

from answers.lexicon import CONJUNCTIONS, by_word
from operators.pii.detector import words

#: Conditions and limits: a claim must have exactly those of its source.
_CONDITIONS: Final = """
if: if provided providing falls wenn sofern indien mits caso
unless: unless except excluding besides
unless: ausser es-sei-denn sauf hormis salvo excepto tranne eccetto exceto tenzij behalve
only: only solely exclusively merely nur lediglich ausschliesslich seulement uniquement solo solamente unicamente
only: soltanto apenas somente alleen slechts
or: or oder oppure
least: least mindestens
most: most hochstens
otherwise: otherwise else sonst ansonsten andernfalls sinon altrimenti senao anders
wrong: wrong wrongly incorrect incorrectly falsch falsche falschen incorrecto incorrecta errado errada sbagliato
wrong: sbagliata verkeerd
mistake: mistake mistakes mistaken mistakenly irrtum
risky: dangerous risky unsafe harmful hazardous gefahrlich riskant schadlich dangereux dangereuse peligroso peligrosa
risky: pericoloso pericolosa perigoso perigosa gevaarlijk schadelijk
useless: useless pointless futile nutzlos sinnlos zwecklos inutile inutil nutteloos zinloos
bad: bad worse worst schlecht schlechter schlimmer
discouraged: discourage discouraged discourages inadvisable unwise abgeraten abraten deconseille deconseillons
discouraged: desaconsejamos desaconseja sconsigliamo sconsiglia desaconselhamos afgeraden afraden
unneeded: unnecessary needless unnotig inutilement innecesario innecesaria onnodig
until: until till bis jusqu hasta fino ate totdat
rarely: rarely seldom barely scarcely selten rarement raramente zelden
may: may might maybe perhaps possibly probably likely apparently presumably supposedly allegedly seem seems seemed
may: vielleicht moglicherweise wahrscheinlich vermutlich anscheinend scheint scheinen peut-etre probablement
may: quiza quizas probablemente forse probabilmente talvez provavelmente misschien waarschijnlijk
would: would could würde würden wäre wären hätte hätten könnte könnten müsste müssten dürfte dürften
would: serait seraient aurait auraient pourrait pourraient podria podrian potrebbe potrebbero poderia poderiam
will: will
try: try tries tried trying attempt attempts attempted attempting versuchen versucht versuchte versuchten
try: essayer essaye essayez intentar intente intentamos provare proberen probeer
intend: intend intends intended hope hopes hoped expect expects expected want wants wanted
said: said says say wrote stated according laut selon segun secondo volgens
reported: reported
claimed: claimed
believe: believe believes believed think thinks thought
suspect: suspect suspects suspected assume assumes assumed
too: too trop demasiado troppo
whether: whether ob
ensure: ensure ensures sure
almost: almost nearly beinahe presque casi quasi quase bijna
sometimes: sometimes occasionally manchmal gelegentlich parfois talvolta soms
usually: usually normally mostly often generally typically meist meistens oft normalerweise souvent generalement
usually: normalement normalmente generalmente spesso solitamente vaak meestal
"""
_CONDITIONS_OF: Final = {
    "de": {"fast": "almost", "sobald": "if", "solange": "if", "wahrend": "while"},
    "fr": {"si": "if", "ou": "or"},
    "es": {"si": "if", "o": "or", "u": "or"},
    "it": {"se": "if", "o": "or"},
    "pt": {"ou": "or"},
    "nl": {"als": "if", "of": "or", "zodra": "if", "zolang": "if", "wanneer": "if", "terwijl": "while"},
    "sv": {"om": "if", "nar": "if"},
    "da": {"hvis": "if", "nar": "if"},
    "no": {"hvis": "if", "nar": "if"},
    "pl": {"jesli": "if", "jezeli": "if", "gdy": "if"},
    "cs": {"pokud": "if", "jestlize": "if", "kdyz": "if"},
    "ru": {"если": "if", "когда": "if"},
    "uk": {"якщо": "if", "коли": "if"},
    "ro": {"daca": "if"},
    "fi": {"jos": "if"},
    "hu": {"ha": "if"},
}

#: Conditions that are about the word after them.
SCOPED: Final = frozenset({"only", "wrong", "bad"})
#: Words that, with a negation in their clause, advise against something.
ADVICE: Final = words(
    "recommend recommends recommended advise advises advised advisable suggest suggested wise safe good "
    "empfehlen empfiehlt empfohlen raten ratsam recommandons recommande recommander conseillons conseille "
    "recomendamos recomienda recomendable raccomandiamo consigliamo consigliato recomenda aconselhamos "
    "raden aanraden aanbevolen"
)
#: Words that limit a claim only after certain others, as in "and above".
_OPEN_ENDED: Final = words(
    "above below higher lower later earlier newer older up over beyond hoher neuer spater plus superieur superior "
    "superiores successive hoger later nieuwer"
)
#: The words that `meant_by` knows.
BEHIND_OTHERS: Final = _OPEN_ENDED | words("while but from have ab af case long soon")
_ALL_OR_NONE: Final = words("all any anything everybody everyone everything nobody none nothing")

#: Conditions that say how sure or how often something is. A sentence may have them without saying anything.
UNSURE: Final = words(
    "would will try intend said reported claimed believe suspect too whether ensure almost sometimes usually"
)
#: Words that, with a negation in their clause, say that nothing has to be done.
NEEDS: Final = words(
    "need needs needed needn't neednt have-to necessary required muss mussen musst brauchen brauchst braucht besoin "
    "necesario necesita necessario hoeft hoeven"
)


def condition_of(word: str, language: str | None) -> str | None:
    """The class of conditions that a word, folded or not, belongs to, if any."""
    if word.endswith("'ll"):
        return "will"
    return _CONDITIONS_OF.get(language or "", {}).get(word) or _CONDITION_BY_WORD.get(word)


def meant_by(word: str, heard: Sequence[str]) -> list[str]:
    """The classes of conditions that a word has only after others: "and above", "anything but", "should have"."""
    last = heard[-1] if heard else ""
    found = {
        "while": word == "while",
        "bound": word in _OPEN_ENDED and last in CONJUNCTIONS,
        "unless": (word == "but" and last in _ALL_OR_NONE) or (word == "from" and last == "apart"),
        "would": word == "have" and last in {"should", "ought", "must"},
        "discouraged": word in {"ab", "af"} and not {"raten", "rate", "raden"}.isdisjoint(heard),
        "if": (word, last) in {("case", "in"), ("long", "as"), ("soon", "as")},
    }
    return [condition for condition, holds in found.items() if holds]


_CONDITION_BY_WORD: Final = by_word(_CONDITIONS)
