"""Stopwords of some languages. They are a third of a text, and distinguish no ticket from another."""

from typing import Final

_ENGLISH: Final = (
    "a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it "
    "its me my no not of on or our she so than that the their them then there these they this those to too up us was "
    "we were what when where which who will with would you your"
)
_GERMAN: Final = (
    "aber als am an auch auf aus bei bin bis da das dass dem den der des die doch du ein eine einem einen einer eines "
    "er es euch für habe haben hat hatte ich ihm ihn ihr ihre im in ist ja kann mein meine mich mir mit nach nicht "
    "noch nun nur ob oder sehr sein sich sie sind so und uns vom von vor war was wenn wer wie wir wird zu zum zur über"
)
_FRENCH: Final = (
    "ai au aux avec avez avons ce ces cette comme dans de depuis des du elle en est et eu il ils je la le les leur lui "
    "ma mais me mes mon ne nous on ont ou par pas plus pour qu que qui sa se ses si son sont sur ta te tu un une votre "
    "vos vous à été être"
)
_SPANISH: Final = (
    "al como con de del desde el ella en entre era es esta este está esto fue ha han hay he la las le les lo los me mi "
    "mis muy más no nos o para pero por que se ser si sin sobre su sus también te tengo tu un una y ya yo"
)
_ITALIAN: Final = (
    "a ad ai al alla anche che chi ci come con da dal dalla dei del della delle di e ed era gli ha hanno ho i il in io "
    "la le lo ma mi mia mio ne nel nella non o per perché più quando se si sono su sul sulla un una uno è"
)
_PORTUGUESE: Final = (
    "a ao aos as até com como da das de do dos e ela ele em entre era essa esse esta este eu foi há isso já la mais "
    "mas me meu minha muito na nas no nos não o os ou para pela pelo por que se sem ser seu sua são também te tem um "
    "uma é"
)
_DUTCH: Final = (
    "aan al als bij dan dat de deze die dit door dus een en er geen heb hebben heeft het hij hoe ik in is je kan maar "
    "me met mij mijn na naar niet nog nu of om onze ook op over te tot uit van voor was wat we wel wij ze zijn zo"
)

#: By ISO 639-1 code, in lower case.
STOPWORDS: Final = {
    code: frozenset(words.split())
    for code, words in {
        "en": _ENGLISH,
        "de": _GERMAN,
        "fr": _FRENCH,
        "es": _SPANISH,
        "it": _ITALIAN,
        "pt": _PORTUGUESE,
        "nl": _DUTCH,
    }.items()
}
