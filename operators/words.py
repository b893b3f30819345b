"""Samples the words that a customer wrote, from which the language is detected.

Code, logs and the sentences that mail gateways add are left out: they are often English in a ticket that isn't.
"""

import re
from collections.abc import Iterable
from typing import Final

from core.contract import UpsertEvent

#: Size and number of the windows that are taken from a long ticket, spread over all of it.
_WINDOW: Final = 160
_WINDOWS: Final = 4
#: Maximum characters before a window that are searched for the start of its line.
_MAX_LINE_START: Final = 400

#: A run of ASCII that is not a word: a placeholder, address, path, identifier or tag.
_CODE: Final = re.compile(r"(?<![!-~])[!-~]*?(?:[@=<>{}\[\]|\\_#$/]|[a-z][A-Z]|\w[.:(]\w|::|\(\))[!-~]*")
#: A text without any of these, or without a colon, is not searched for code, or for lines of programs.
_CODE_SIGN: Final = re.compile(r"[@=<>{}\[\]|\\_#$/(]")
#: The beginning of a line of a stack trace, a log or a shell, or a line of a program.
_MACHINE: Final = re.compile(
    r"\s*(?i:at [\w.$]+\(|caused by: |traceback \(|file \"|[\w.]+(?:exception|error)\b|\[?\d{4}-\d\d-\d\d[t ]\d\d:"
    r"|\[?\d\d:\d\d:\d\d|\[?(?:trace|debug|info|warn|warning|error|fatal|critical)\]?[ :\[]|[$>#] |[{}]|#\d+ )"
    r"|\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|WITH)\s"
    r"|\s*(?:def|class|for|if|elif|else|while|return|raise|import|from|try|except|with|var|let|const|function|public"
    r"|private|static|using|package)\b.*[:;{})\]]$"
)

#: A text without any of these, in lower case, has no sentence of `_ADDED`.
_ADDED_SIGNS: Final = (
    "outside", "stern", "confiden", "vertr", "recipient", "click", "klick", "virus", "often", "oft ", "souvent",
    "attach", "fuera de", "fora d", "buiten", "zewn", "riservat", "uden for", "utenfor", "ulkopuol",
)  # fmt: skip
_ADDED_SIGNS_BEYOND_ASCII: Final = (
    "außerhalb", "anhänge", "empfänger", "extér", "jointes", "utanför", "внешн", "外部", "外から",
)  # fmt: skip
#: Sentences that a mail gateway adds: that the mail is from outside, confidential, or free of viruses.
_ADDED_FORMS: Final = (
    # English
    r"(?:originate[sd]?|came|comes|sent|received|is|message) (?:\w+ )?from (?:\w+ )?(?:outside|external)",
    r"\b(?:sender|e-?mail|message) .{0,30}\b(?:outside|external)\b|external (?:e-?mail|sender|message)",
    r"(?:click|open)\w* (?:on )?(?:any )?(?:links?|attachments?)|don't often get|think before you",
    r"report (?:phish|suspicious)|(?:intended|named) recipient|(?:scanned|checked) (?:for|by) .{0,40}virus",
    r"(?:e-?mail|message|communication)\b.{0,80}\b(?:confidential|privileged|intended (?:only|solely|for))",
    # German
    r"(?:mail|nachricht) (?:stammt|kommt|wurde) .{0,20}(?:außerhalb|extern)|extern\w* (?:absender|e-?mail)",
    r"(?:links?|anhänge)\b.{0,40}(?:öffnen|klicken)|(?:öffnen|klicken) sie .{0,30}(?:links?|anhänge)",
    r"erhalten nicht oft|(?:mail|nachricht)\b.{0,80}vertraulich|(?:richtige|beabsichtigte)\w* empfänger",
    # French
    r"(?:courriel|message|mail) .{0,30}(?:extérieur|externe)|expéditeur externe|pas souvent",
    r"cliquez (?:pas|sur) .{0,30}lien|ouvrez .{0,30}pièces jointes|(?:courriel|message)\b.{0,80}confidenti",
    # Spanish, Portuguese, Italian
    r"(?:correo|mensaje|mensagem|e-?mail|messaggio|mittente) .{0,40}(?:extern|estern|fuera de|fora d)",
    r"(?:correo|mensaje|mensagem|messaggio|e-?mail)\b.{0,80}(?:confidencia|riservat)",
    # Dutch, Polish and the languages of Scandinavia
    r"(?:mail|bericht) .{0,30}(?:buiten|extern)|(?:mail|bericht)\b.{0,80}vertrouwelijk",
    r"(?:wiadomość|mail) .{0,40}zewn",
    r"(?:e-?post\w*|mejl\w*|mail\w*|meddel\w*|viesti\w*) .{0,40}(?:utanför|uden for|utenfor|ekstern|ulkopuol)",
    # Russian, Chinese, Japanese
    r"письмо .{0,40}внешн|внешн\w+ отправител",
    "外部(?:邮件|郵件|メール|发件人|寄件者)|(?:社外|組織外)から|来自.{0,8}外部",
)
_ADDED: Final = re.compile("|".join(_ADDED_FORMS))
_SENTENCES: Final = re.compile("(?<=[.!?\u3002\uff01\uff1f])\\s+|(?<=[\u3002\uff01\uff1f])|\\n")


def own_words(content: UpsertEvent) -> str:
    """A sample of the subject, the body and the customer's messages, of at most some 640 characters.

    If the customer wrote no words, as in a chat that an agent began, the other messages are sampled.
    """
    texts = [content.subject, content.body]
    if content.messages:
        texts += [message.body for message in content.messages if message.author == "customer"]
    words = _words(texts)
    if words or not content.messages:
        return words
    return _words(message.body for message in content.messages)


def _words(texts: Iterable[str]) -> str:
    text = _sample("\n".join(filter(None, texts)))
    has_code = _CODE_SIGN.search(text) is not None
    if (has_code or ":" in text) and "\n" in text:
        text = "\n".join([line for line in text.split("\n") if _MACHINE.match(line) is None]) or text
    if has_code:
        text = _CODE.sub(" ", text)
    if _may_be_added(text.lower()):
        text = " ".join(part for part in _SENTENCES.split(text) if _ADDED.search(part.lower()) is None) or text
    return text.strip()


def _may_be_added(lower: str) -> bool:
    for sign in _ADDED_SIGNS:
        if sign in lower:
            return True
    return not lower.isascii() and any(sign in lower for sign in _ADDED_SIGNS_BEYOND_ASCII)


def _sample(text: str) -> str:
    """The text, or windows of a long one: at its beginning, its end and evenly between."""
    room = len(text) - _WINDOW
    if room < _WINDOW * (_WINDOWS - 1):
        return text
    windows = []
    for number in range(_WINDOWS):
        start = room * number // (_WINDOWS - 1)
        line = text.rfind("\n", max(0, start - _MAX_LINE_START), start) + 1
        if line and _MACHINE.match(text[line : start + _WINDOW]):
            start = text.find("\n", start) + 1 or len(text)
        windows.append(text[start : start + _WINDOW])
    return "\n".join(windows)
