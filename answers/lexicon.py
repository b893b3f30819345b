"""Words that decide the claim of a sentence: negations, opposites, conditions and synonyms.

They are folded: lower case, without accents. The lists are in English, German, French, Spanish, Italian, Portuguese and
Dutch; words with another meaning in another language are listed by language.
"""

import re
from typing import Final

from operators.pii.detector import words
from operators.terms import stem

#: Of any language.
_NEGATIONS: Final = words(
    "not never nobody nothing none cannot without neither nor nowhere hardly forbidden prohibited impossible "
    "verboten untersagt unmoglich interdit interdite prohibido prohibida imposible vietato vietata impossibile "
    "proibido proibida impossivel verboden onmogelijk "
    "nicht nie niemals niemand nichts ohne kein keine keinen keinem keiner keines weder nirgends kaum "
    "jamais rien aucun aucune sans nunca nadie nada ningun ninguna ninguno sin jamas tampoco "
    "niente nessuno nessuna nessun senza ninguem nenhum nenhuma sem nao "
    "niet geen nooit niemand niets zonder"
)
#: Negations of some languages, and those of them that mean something else in another. A ticket's language may be
#: detected wrongly, so they count in every language where they mean nothing else.
_SOME: Final = words("no non pas mai")
_AMBIGUOUS: Final = {
    "de": words("mai"), "fr": words("mai no"), "es": words("mai"), "pt": words("no"), "nl": words("non pas"),
}  # fmt: skip
#: In scripts without spaces, and those whose words take them as prefixes or endings.
NEGATION_MARKS: Final = words("不 没 沒 未 无 無 非 勿 别 禁 ない ません なし 않 못 없 ไม่")
#: Of other languages, for tickets of a language that is not one of the seven.
_OTHER_NEGATIONS: Final = words(
    "aldrig bez degil ei eivat ej fara hayir hicbir icke ikke ilman ingen inget inga inte intet ne nem neni nic nie "
    "nije nema nigdy no nu uden utan yok zaden tidak bukan jangan belum tanpa khong chua δε δεν μη χωρις "
    "без не нельзя немає нет ни никогда ничего няма ні ніколи нічого אין בלי לא بدون غير لا لم لن ليس नहीं बिना मत 안"
)

#: Pairs of opposites: a claim with one of them is refused if its source has only the other.
_PAIRS: Final = """
on enable enables enabled activate activated | off disable disables disabled deactivate deactivated
up | down;
in | out; over | under; above | below; inside | outside; before | after; earlier | later;
first | last;
allow allows allowed permit | block blocks blocked deny denies denied forbid forbids;
accept accepts accepted | reject rejects rejected refuse refuses refused decline declined;
increase increases increased raise raised | decrease decreases decreased reduce reduced lower lowered;
add added adds | remove removed removes delete deleted deletes; open opens opened | close closes closed;
start starts started | stop stops stopped end ends ended; lock locked locks | unlock unlocked unlocks;
install installed | uninstall uninstalled; connect connected | disconnect disconnected;
grant granted | revoke revoked; more | less fewer; most maximum longest | least minimum shortest; always | never;
all every | none no; old older oldest | new newer newest; slow slower | fast faster;
success succeeds succeeded | fail fails failed; upload uploaded | download downloaded;
import imported | export exported; send sent | receive received;
higher longer larger greater | lower shorter smaller; same | different other;
include includes | exclude excludes; must required | may optional can could; will | was were did has have had been;
is are | was were; ist sind | war waren; est sont | etait etaient; son | era eran fue fueron;
wird werden | wurde wurden; left | right; public | private internal;
true | false; yes | no; free | paid; buyer | seller; sender | recipient; plaintext | encrypted; with | without;
ein an einschalten aktivieren aktiviert aktiv | aus ausschalten deaktivieren deaktiviert inaktiv;
vor vorher | nach nachher danach; mehr | weniger; immer | nie niemals; alle | keine;
offnen offen | schliessen geschlossen; hinzufugen | entfernen loschen;
erlauben erlaubt | sperren gesperrt verboten; mindestens | hochstens maximal; mit | ohne;
alt alte alten | neu neue neuen; starten gestartet | stoppen gestoppt beenden; avant | apres;
activer activez active | desactiver desactivez desactive; plus | moins; toujours | jamais;
ouvrir ouvrez | fermer fermez; ajouter ajoutez | supprimer supprimez; avec | sans; tous toutes | aucun aucune;
antes | despues depois; activar active activado | desactivar desactive desactivado; mas | menos;
siempre sempre | nunca mai; abrir abra | cerrar cierre fechar feche; con com | sin sem senza;
todos todas | ninguno nenhum; prima | dopo; attivare attiva | disattivare disattiva; piu | meno;
aprire apri | chiudere chiudi; voor | na; aan | uit; meer | minder; altijd | nooit; openen | sluiten;
met | zonder
"""

#: Synonyms in support tickets. The first stands for all.
_SAME: Final = """
press click tap hit select choose pick; enable activate switch turn disable deactivate;
delete remove erase clear empty purge wipe;
set put change adjust configure; open visit go; send upload attach submit; customer user client buyer;
need take require; start launch begin run; fix repair solve resolve mend; reset renew regenerate;
login signin logon log sign; logout signout; restart reboot relaunch; add insert append create;
error fault failure problem issue bug; cause reason due; refund reimburse repay payback; ask request tell;
lack lacked missing absent miss; shorten short shorter cut; minute min; second sec; hour hr;
verify check validate confirm; free unblock; issue grant give; parcel package shipment; page screen view;
device unit machine; invoice bill; password passphrase; company firm business; ready available done;
show display; build version release; big large long; mail email message; use apply; wait hold;
move transfer migrate shift; enter type; register enrol enroll; expire lapse; end finish complete
"""

#: Words of order: the words around them must keep their order.
ORDERING: Final = words(
    "before after than instead from into rather vor nach bevor nachdem als statt anstatt von avant apres depuis antes "
    "despues depois desde prima dopo invece voor na dan"
)
#: Words that mark the agent of a passive clause, and its verbs.
PASSIVE: Final = words("by von durch par por pelo pela da dal door")
BE: Final = words(
    "is are was were be been being gets got wird werden wurde wurden worden est sont ete etait es son fue fueron sido "
    "viene vengono stato stata stati foi foram sido wordt worden werd werden"
)
#: Words before an aim: what is before and behind them may not change places.
TO: Final = words("to into onto zum zur nach naar")
#: Words that stand for a noun of an earlier clause.
REFERRING: Final = words("it its they them this these those one ones es ihn ihm ello esso ela ele isso ze")
#: Pronouns, which stand for a word of an earlier sentence.
PRONOUNS: Final = words(
    "it its this that these those they them he she er sie es ihn ihm das dies diese dieser il elle ils elles cela ceci "
    "le la les lo los las esto este esta ello ella questo questa esso ela ele isso isto het deze dit die dat hij zij"
)
#: Function words without a claim, in addition to the stopwords.
MODALS: Final = words(
    "please see being described must should shall need needs may might would could can will just also now then "
    "therefore thus so hence "
    "according via per within under bitte sollte sollten muss mussen kann konnen darf durfen auch jetzt dann "
    "also daher "
    "doit devez faut veuillez deve debe puede pode kunt moet graag"
)
CONJUNCTIONS: Final = words(
    "and but because so while whereas since und aber weil denn sondern sowie et mais car parce donc "
    "y e pero "
    "porque ma perche mas en maar omdat want men och og ale oraz ama fakat tetapi namun но але αλλα"
)
#: Conjunctions that may take back the clause before them, and pronouns that begin a clause about the one before.
CONTRASTS: Final = words("but aber mais pero ma mas maar")
RELATIVES: Final = words("which was wat")
THAT: Final = words("that dass que che dat")
#: Beginnings of verbs around which the order of words matters.
EXCHANGING: Final = re.compile(r"\b(?:replac|exchang|swap|ersetz|remplac|reemplaz|sostitui|substitu|vervang)")
#: Conjunctions whose clause is a cause, or an effect.
CAUSES: Final = {
    **dict.fromkeys(words("because since weil denn car parce puisque porque pues perche omdat want"), "because"),
    "so": "so",
}
#: Words after which the opposite happens: prefixes, and those that do so before "to".
_AVERTING: Final = re.compile(r"(?:avoid|prevent|refrain|vermeid|verhinder|evit|empech|imped|impid|vermijd|voorkom)")
_FAILING: Final = words(
    "fail fails failed failing refuse refuses refused refusing decline declines declined forget forgets forgot "
    "forgotten neglect neglects neglected unable impossible cease ceases ceased used"
)
#: Pairs of words with the same effect, and words after which a gerund has it.
_INSTEAD: Final = frozenset(
    tuple(pair.split("-")) for pair in words("instead-of rather-than lugar-de vez-de invece-di plaats-van")
)
_INSTEAD_ALONE: Final = words("anstatt statt lieu against beware")
_STOPPING: Final = words("stop stops stopped quit quits")
#: Words before "that" by which a sentence denies what follows.
_DENYING: Final = words(
    "false untrue wrong incorrect deny denies denied doubt doubts unlikely claim rumour rumor myth allegation"
)


def averts(word: str, before: str) -> bool:
    """Whether a word, or what follows it, doesn't happen: after "avoid", "fails to", "instead of", and "stopped"."""
    if word in {"to", "that"}:
        return before in (_FAILING if word == "to" else _DENYING)
    if before in _STOPPING and word.endswith("ing"):
        return True
    return word in _INSTEAD_ALONE or (before, word) in _INSTEAD or _AVERTING.match(word) is not None


def negations(language: str | None) -> frozenset[str]:
    """The negations of a language; without one, of English."""
    return _NEGATIONS_BY_LANGUAGE.get(language or "en", _NEGATIONS | _OTHER_NEGATIONS)


def opposites(word: str) -> frozenset[str]:
    """Words that mean the opposite."""
    return _OPPOSITES.get(word, frozenset())


def same(word: str, stemmed: str) -> str:
    """The representative of a word's (or its stem's) synonyms; else the stem."""
    return _SAME_AS.get(word) or _SAME_AS.get(stemmed, stemmed)


def rows_of(table: str) -> list[str]:
    """The entries of a table, which semicolons and line feeds separate."""
    return [row.strip() for row in re.split(r"[;\n]", table) if row.strip()]


def _forms(word: str) -> tuple[str, ...]:
    """The word, its plural or third person, and its stem, unless that is too short to be unique."""
    stemmed = stem(word)
    return (word, f"{word}s", stemmed) if len(word) - len(stemmed) <= 1 else (word, f"{word}s")


def by_word(table: str) -> dict[str, str]:
    """The name of each row of a table, by the words behind it."""
    rows = (row.split(": ") for row in rows_of(table))
    return {word: name for name, listed in rows for word in listed.split()}


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in rows_of(_PAIRS):
        one, other = (side.split() for side in row.split("|"))
        for left, right in ((one, other), (other, one)):
            for word in left:
                found.setdefault(word, set()).update(right)
    return {word: frozenset(others) for word, others in found.items()}


_NEGATIONS_BY_LANGUAGE: Final = {
    language: _NEGATIONS | (_SOME - _AMBIGUOUS.get(language, frozenset()))
    for language in ("en", "de", "fr", "es", "it", "pt", "nl")
}
_OPPOSITES: Final = _opposites()
_SAME_AS: Final = {form: row.split()[0] for row in rows_of(_SAME) for word in row.split() for form in _forms(word)}
#: The first word of each row of synonyms.
SYNONYMS: Final = frozenset(_SAME_AS.values())
#: Common words of every ticket, which a claim may have although its source doesn't.
NEUTRAL: Final = frozenset(
    same(word, stem(word)) for word in words("support way step cause problem error solution fix system version")
)
PEOPLE: Final = frozenset(same(word, stem(word)) for word in words("customer agent team"))
#: Pronouns of a sentence whose subject is certainly no customer, or no agent.
OURS: Final = words("we i our us my wir ich unser unsere nous je notre nosotros yo noi io nosso eu wij ik ons onze")
YOURS: Final = words("you your yours vous votre vos usted tu ihr ihre u uw jij jouw")
#: Forms of the neutral "fix" that say that it was done, and the stem of all its forms.
DONE: Final = words("fixed solved resolved repaired mended")
FIX: Final = frozenset({same("fix", stem("fix"))})
#: Verbs that add nothing before "that", as in "we found that".
_FACTIVE: Final = {
    "en": "find found see saw seen notice noticed note learn learned discover discovered realise realised turned out",
    "de": "festgestellt gesehen bemerkt beachten wissen herausgefunden",
    "fr": "constate vu remarque notez sachez",
    "es": "visto vimos notamos comprobado",
    "it": "visto notato constatato",
    "pt": "visto vimos notamos constatado",
    "nl": "gezien gemerkt vastgesteld",
}
FACTIVE: Final = frozenset(
    same(word, stem(word, language)) for language, listed in _FACTIVE.items() for word in listed.split()
)
