"""Passwords, keys and tokens that are recognised by the name before them: DB_PASSWORD=…, "my password is …"."""

import re
from collections.abc import Iterator
from typing import Final, Literal

from operators.pii.detector import Detector, words
from operators.pii.view import View

Joint = Literal["assign", "xml", "copula", "far", "foreign", "bare"]

#: Every name of a secret contains one of these.
_NEEDLES: Final = (
    *("pass", "pw", "token", "secret", "key", "credential", "sessid", "sessionid", "kennwort", "wachtwoord", "senha"),
    *("parola", "heslo", "pincode", "adgangskode", "salasana", "contrasena", "clave"),
)
_FOREIGN_NEEDLES: Final = (
    *("contraseña", "hasło", "lösenord", "şifre", "jelsz", "mật khẩu", "пароль", "пароля", "ключ", "κωδικό"),
    *("密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "รหัสผ่าน", "كلمة المرور", "كلمة السر"),
    *("رمز عبور", "पासवर्ड", "סיסמה", "סיסמא"),
)
_NAME: Final = re.compile(
    r"passwords?|passe(?<=mot de passe)|passwd|passwort|passphrase|passcodes?|passord|passkey|passw|pass|pwd|pw|token|"
    r"secret|key|kennwort|wachtwoord|senha|parola|sessionid|sessid|credentials?|heslo|pincode|adgangskode|salasana|"
    r"contrasena|clave|contraseña|hasło|lösenord|şifre|jelszó|jelszav\w{0,4}|mật khẩu|пароль|пароля|ключ|"
    r"κωδικός|κωδικό|密码|密碼|口令|パスワード|비밀번호|암호|รหัสผ่าน|كلمة المرور|كلمة السر|رمز عبور|पासवर्ड|סיסמה|סיסמא"
)
#: In scripts without spaces, only what is ASCII is the value.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
#: Names of keys that machines exchange, as against passwords that people choose.
_KEYS: Final = frozenset({"token", "secret", "key", "sessionid", "sessid", "credential", "credentials"})
#: "key" and the short names are parts of other words: monkey, bypass.
_KEY_BEFORE: Final = re.compile(
    r"(?:api|access|secret|private|account|shared|sharedaccess|client|auth|encryption|signing|master|storage|ssh|app|"
    r"application|consumer|subscription|service|license|admin|root|deploy|webhook|session|hmac|jwt|aws|azure|gcp|openai|"
    r"stripe)[ _.-]?$"
)
_SHORT: Final = frozenset({"pass", "clave", "parola", "pwd", "pw", "ключ"})
_SHORT_BEFORE: Final = re.compile(
    r"(?:(?<![a-z])|(?:db|pg|my|smtp|ftp|user|root|admin|mysql|redis|key|store|trust|ssl|ldap|bind)[_.-]?)$"
)
_PARSER: Final = re.compile(r"(?:unexpected|illegal) $")

#: A name goes on behind a hyphen or an underscore, with a number, or with one of a few words: passwordConfirm.
_TAIL: Final = re.compile(r"(?:[_-]?[a-z0-9]{1,16}){1,4}")
_USUAL_TAIL: Final = re.compile(
    r"[_-]|[0-9]{1,2}(?![0-9])"
    r"|(?:Base|Confirm\w{0,5}|Hash|Value|Secret|Old|New|Current|Again|Repeat|Prod|Dev|Test|Plain|Text|Raw|Key)(?![a-z])"
)
#: Ends of names whose value is not a secret: token_type, password_file.
_HARMLESS_TAIL: Final = re.compile(
    r"(?:type|file|path|names?|length|len|count|size|expir\w*|ttl|policy|policies|url|uri|endpoint|ids?|field|provider|class|"
    r"version|date|time|age|min|max|limit|format|encoding|algorithm|hint|rotation|strength|manager|change|location|used|"
    r"usage|index|prefix|regex|pattern|required|enabled|store|source|words?|errors?|exception|attempts?|protected|reset|"
    r"vault|management|auth|authentication|identifier|signer|ranges?|events?|code|frame|map|pairs?|spaces?)$"
)
_JOINT: Final = re.compile(
    r"(?P<close>[\"'\]})>*`]{0,3})(?:"
    r"(?P<assign>[ ]{1,3}value[ ]?=[ ]?|[ \t]{0,3}(?::=|=>|->|[:=])[ \t]{0,3}(?:\n[ \t]{0,3})?)"
    r"|(?P<xml>(?<=>)|</name>\s{0,20}<value>)"
    r"|(?P<copula>[ ]{1,2}(?:is|ist|lautet|was|war|est|es|è|é|är|er|on|jest|это|to|to be|este|je)"
    r"(?:[ ]?:[ ]{0,2}|[ ]{1,2}))"
    r"|(?P<far>(?:[ ][a-z]{1,12}){1,4}[ ](?:is|was|ist|lautet|est|es)(?:[ ]?:[ ]{0,2}|[ ]{1,2}))"
    r"|(?P<foreign>(?<![\x00-\x7f])[ ]{0,2}(?:是|为|為|は|が|는|은|이|가|คือ|เป็น|هي|هو|है|היא|הוא|είναι)?"
    r"[ ]{0,2}:?[ ]{0,2}(?=[!-~]))"
    r"|(?P<bare>[ ]))"
    r"(?P<quote>[\"'`]{0,2})"
)

#: Maximum characters of a value that are read; the rest is redacted with them.
_MOST_READ: Final = 128
_VALUE: Final = re.compile(r"[^\s\"'`<>,;&\[\]{}\\][^\s\"'`]{3,127}")
#: A comma, a semicolon or an ampersand ends the value where another name follows, as in URLs and connection strings.
_ASSIGNED_VALUE: Final = re.compile(
    r"[^\s\"'`<>,;&\[\]\\](?:[^\s\"'`<>,;&\\]|[,;&](?![ ]?[\w. -]{1,40}[=:])(?=[^\s\"'`,;}])){3,127}"
)
_ASCII_VALUE: Final = re.compile(r"[!-~]{4,128}")
_REST: Final = re.compile(r"[^\s\"'`<>,;&\\]*")
_QUOTED: Final = {quote: re.compile(rf"[^\s{quote}]{{4,2048}}(?={quote})") for quote in "\"'`"}
_SHORTEST: Final = 4
_SHORTEST_BARE: Final = 6

_PLACEHOLDER: Final = re.compile(
    r"[<({\[%*].*|--.*|\$[({].*|\$[a-z_]+|your[_-]?[a-z_-]*|my[_-][a-z_-]*|example|placeholder|"
    r"null|none|nil|true|false|undefined|empty|unset|yes|tbd|todo|changeme|redacted|hidden|string|optional|required",
    re.DOTALL,
)
#: A call, a member, a path, a URL, a constant, another assignment, or an annotation.
_CODE: Final = re.compile(
    r"[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)*[(\[{].*|[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)+;?"
    r"|(?:/|\./|\.\./|~/|[A-Za-z]:\\|https?://|file:)\S*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|\w+=(?!=*$).*|[a-z]+:\S*|[@&]\w.*",
    re.DOTALL,
)
_SYMBOL: Final = re.compile(r"[!@#$%^&*?~+=|\\]")
_LAST_SYMBOLS: Final = frozenset("!@#$%^&*")
_VERSION_OR_DATE: Final = re.compile(
    r"v?\d{1,4}(?:[.-]\d{1,4}){1,3}(?:t.*)?|\d{1,2}:\d\d.*|\d{1,4}/\d{1,2}(?:/\d{1,4})?"
)
#: Words with a digit that stand behind "password" in prose.
_PROSE: Final = re.compile(
    r"sha\d+|md5|base64|oauth2?|utf-?\d+|pbkdf2|argon2\w*|bcrypt\d*|\dfa|\d+(?:st|nd|rd|th)|office365|windows\d+|win\d+|"
    r"outlook\d*|microsoft365|o365|m365|ios\d+|[a-z]+/[a-z]+|"
    r"\d+-?(?:char\w*|digits?|days?|hours?|minutes?|times?|min|h|d|x)"
)
#: Words behind "Password:" that are not one.
_NOT_PASSWORDS: Final = words("""
    required expired incorrect invalid unknown missing changed forgotten reset empty hidden optional correct wrong
    protected disabled enabled rejected denied failed blocked cannot please should policy length strength updated weak
    strong different recovery authentication attempts
""")
_LONGEST_LINE_START: Final = 12


def named_secrets(view: View) -> Iterator[tuple[int, int]]:
    """The values of names, left to right."""
    done = 0
    for at in _names(view.lower):
        found = _value_of(view, at) if at >= done else None
        if found is not None:
            done = found[1]
            yield found


def _names(lower: str) -> list[int]:
    """Places where a name may begin."""
    places = []
    for needle in _NEEDLES if lower.isascii() else _NEEDLES + _FOREIGN_NEEDLES:
        at = lower.find(needle)
        while at >= 0:
            places.append(at)
            at = lower.find(needle, at + len(needle))
    places.sort()
    return places


def _value_of(view: View, at: int) -> tuple[int, int] | None:
    """The value of the name that begins at `at`."""
    name = _NAME.match(view.lower, at)
    if name is None or not _is_whole(view.lower, at, name.group()):
        return None
    end = _name_end(view, name)
    joint = None if end is None else _JOINT.match(view.lower, end)
    if joint is None:
        return None
    how: Joint = next(group for group in _JOINTS if joint.group(group) is not None)
    if how == "xml" and not joint.group("xml") and ">" not in joint.group("close"):
        return None
    value = _value(view.text, joint, how, unspaced=_UNSPACED.search(name.group()) is not None)
    if value is None or not _is_secret(view, name, joint, how, value):
        return None
    return value[0], _whole_end(view.text, joint.group("quote"), *value)


def _whole_end(text: str, quote: str, start: int, end: int) -> int:
    """A value goes on to the quote that closes it, or, if it is a long one, to the next space."""
    if quote and text[end : end + 1] != quote[0]:
        close = text.find(quote[0], end, end + _MOST_READ)
        return end if close < 0 or "\n" in text[end:close] else close
    rest = _REST.match(text, end) if end - start == _MOST_READ else None
    return end if rest is None else rest.end()


_JOINTS: Final[tuple[Joint, ...]] = ("assign", "xml", "copula", "far", "foreign", "bare")


def _is_whole(lower: str, at: int, name: str) -> bool:
    """Not the middle of another word, and not a parser's token."""
    before = lower[max(0, at - 20) : at]
    if name == "key":
        return _KEY_BEFORE.search(before) is not None
    if name in _SHORT:
        return _SHORT_BEFORE.search(before) is not None
    return _PARSER.search(before) is None


def _name_end(view: View, name: re.Match[str]) -> int | None:
    """The end of the whole name (DB_PASSWORD_PROD); None if it names no secret ("tokenizer", token_type)."""
    end = name.end()
    following = view.text[end : end + 1]
    if not name.group().isascii() or not following.isascii() or not (following.isalnum() or following in {"_", "-"}):
        return end
    tail = _TAIL.match(view.lower, end)
    if tail is None or not _USUAL_TAIL.match(view.text, end) or _HARMLESS_TAIL.search(tail.group()):
        return None
    return tail.end()


def _value(text: str, joint: re.Match[str], how: Joint, *, unspaced: bool) -> tuple[int, int] | None:
    """The span that may be the value behind `joint`."""
    start, quote = joint.end(), joint.group("quote")
    quoted = _QUOTED[quote[0]].match(text, start) if quote else None
    if quoted is not None:
        return quoted.span()
    if unspaced and how in {"foreign", "bare", "assign"}:
        match = _ASCII_VALUE.match(text, start)
    else:
        match = (_ASSIGNED_VALUE if how in {"assign", "xml"} else _VALUE).match(text, start)
    if match is None:
        return None
    end = start + len(match.group().rstrip(".,;:?)*]"))
    return start, end


def _is_secret(view: View, name: re.Match[str], joint: re.Match[str], how: Joint, span: tuple[int, int]) -> bool:
    text = view.text
    value, lowered = text[slice(*span)], view.lower[slice(*span)]
    if len(value) < _SHORTEST or _PLACEHOLDER.fullmatch(lowered) or _repeats(name.group(), lowered):
        return False
    chosen = name.group() not in _KEYS
    if how in {"bare", "far"} and not chosen:
        return False
    if joint.group("quote"):
        return _has_shape(value, how)
    if _CODE.fullmatch(value) and not (how in {"copula", "far"} and chosen):
        return False
    after = text[span[1] : span[1] + 1]
    if after == "(" or (after == ":" and how == "assign"):
        return False
    return _has_shape(value, how) or (chosen and how == "assign" and _is_alone(text, name, joint, span))


def _repeats(name: str, value: str) -> bool:
    """A variable that is called like the name: `password = password2`."""
    return value.startswith(name) and (len(value) <= len(name) + 1 or not value[len(name)].isalnum())


def _has_shape(value: str, how: Joint) -> bool:
    """A secret has a digit or a symbol within; "wrong" in "the password is wrong" has neither."""
    lowered = value.lower()
    if "..." in value or "***" in value or "xxx" in lowered or len(set(value)) == 1:
        return False
    if _VERSION_OR_DATE.fullmatch(lowered) or _PROSE.fullmatch(lowered):
        return False
    digit = any("0" <= character <= "9" for character in value)
    symbol = _SYMBOL.search(value, 0, len(value) - 1) is not None
    last = value[-1] in _LAST_SYMBOLS
    if how in {"bare", "far"}:
        letter = any(character.isalpha() for character in value)
        return len(value) >= _SHORTEST_BARE and ((digit and letter) or symbol or (last and letter and value[-1] != "!"))
    return digit or symbol or (last and how != "copula")


def _is_alone(text: str, name: re.Match[str], joint: re.Match[str], span: tuple[int, int]) -> bool:
    """A password of letters only, alone behind "Password:" on its own line."""
    start, end = span
    value = text[start:end]
    if "\n" in joint.group() or len(value) < _SHORTEST_BARE or not value.isalpha() or value.lower() in _NOT_PASSWORDS:
        return False
    begins_line = name.start() - (text.rfind("\n", 0, name.start()) + 1) <= _LONGEST_LINE_START
    return begins_line and text[end : end + 1] in {"", "\n"}


DETECTORS: Final = (Detector("SECRET", named_secrets, _NEEDLES, also=_FOREIGN_NEEDLES),)
