"""IP addresses, told from versions by the words and signs around them."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from operators.pii.detector import Detector, words
from operators.pii.view import View

_FOUR: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
#: The second number of each address, which is found sooner, as few points have a digit behind them.
_SECOND: Final = re.compile(r"\.[0-9]{1,3}\.")
_MAX_OCTET: Final = 255
_CONTEXT: Final = 48
_WORD: Final = re.compile(r"[^\W\d_]+|[0-9]+\.[0-9.]*[0-9]|[.!?](?=\s)|\n")
#: Maximum words between an address word and the number; a version word may be anywhere in the context.
_NEAR: Final = 4
#: Words after which four numbers are an address, wherever it points.
_ADDRESS_WORDS: Final = words("""
    ip ips ipv addr address addresses adresse adres adress host hosts hostname server servers serveur servidor
    serwer rechner client clients peer gateway inet subnet netmask proxy dns resolver nameserver router vpn firewall
    ping pinged ssh telnet curl wget nslookup dig traceroute tracert whois connect connected connecting
    connection login logins logged listen listens listening bind bound reach reached route hop src dst source
    destination block blocked ban banned allow allowed allowlist whitelist whitelisted blacklist blacklisted
    deny denied resolves resolved request requests traffic forwarded endpoint cidr адрес адреса адресу адреса
    хост сервер сервера серверу διεύθυνση כתובת עלאן عنوان पता
""")
_UNSPACED_ADDRESS: Final = (
    "ip",
    "地址",
    "登录",
    "登入",
    "アドレス",
    "ログイン",
    "主机",
    "サーバ",
    "주소",
    "서버",
    "접속",
    "ไอพี",
    "ที่อยู่",
)
#: Words after which they are a version.
_VERSION_WORDS: Final = words("""
    v ver version versions versión versione versionen versie wersja wersji version versionsnummer верси версия
    версии версию release releases build builds firmware update updated updates updating upgrade upgraded
    upgrades upgrading downgrade downgraded bump bumped bumps bumping patch patched patches migrate migrated
    migrating install installed installing fixed driver drivers section sections chapter clause article
    abschnitt kapitel rfc oid branch kernel sdk jdk jre library lib package packages plugin plugins artifact
    artifactid dependency dependencies openjdk runtime
""")
_UNSPACED_VERSION: Final = ("版本", "バージョン", "버전", "เวอร์ชัน", "更新", "升级")
_CHANGED_TO: Final = re.compile(
    r"\b(?:upgrad|updat|bump|downgrad|migrat|mov|chang)\w{0,4}\b[^\n!?]{0,40} to (?:version |either )?$"
)
#: A name right before the number, with a space or glued to it, is a product's.
_GLUED_NAME: Final = re.compile(r"[a-z][\w.+]*[-_/:]$")
_PRODUCT: Final = re.compile(r"(?:^|[^\w./-])([a-z][\w+.-]{0,40}[\w+])[ ]{1,2}\(?$")
_OTHER_VERSION: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,4}){2}(?![\d.])")
_SERVER_PRODUCT: Final = re.compile(r"\b(?:windows|sql|exchange|media|jira|team) server $")
_RELEASE: Final = re.compile(r"([0-9]{1,3}\.[0-9]{1,4})(?:\.[0-9]{1,4})?(?![0-9]|\.[0-9])")
_HOST_NAME: Final = re.compile(r"\.(?:com|org|net|edu|gov|io|local|internal|lan|corp|[a-z]{2})$")
#: Words before a number that don't name a product.
_NO_PRODUCTS: Final = words("""
    a all an and any are as at be been between both but by came error for from get getting got had has have i
    if into is it just my near no not off on onto only or our out over per refused saw see seen so that
    the their then there these this those through timeout to toward tried two up via visit
    visits was we were when where which while whose you your ab am an auf aus bei bis das
    dem den der die ein eine ist kam mein meine nach oder über und vom von zu zum zur de
    depuis des du est et la le les mon o par pour sur un une vers y al del desde el es la las los mi
    para por su da dal dalla di e gli il lo naar op uit van vanaf från hos på fra od z ze до и из на от по
    с
""")
_AFTER_VERSION: Final = re.compile(
    r"[-_+](?:[0-9]+(?![0-9.]|-\d)|[A-Za-z])|</version>|:(?:compile|test|runtime|provided)"
    r"|\.(?:jar|war|zip|tar|tgz|gz|exe|msi|dmg|deb|rpm|dll|so|whl|final|ga|rc|v\d|x\b|re\b)"
    r"|\s*(?:release|version|build|(?:and|or) (?:later|earlier|above|below|higher|newer|greater))",
    re.IGNORECASE,
)
#: A port, the width of a network, or the port as `dig` writes it.
_AFTER_ADDRESS: Final = re.compile(
    r":[0-9]{2,5}(?![0-9]|\.[0-9])|/(?:[12]?[0-9]|3[0-2])(?![0-9.])|#[0-9]{1,5}\b|\s-\s-\s\["
)
#: A scheme, a user, or a host's name as Java puts it before its address.
_BEFORE_ADDRESS: Final = re.compile(
    r"(?:://|@|(?:^|[\s(\[{\"'=,;<>])/"
    r"|\b(?:localhost|hostname|node|host|[a-z][\w-]*\.[\w.-]+|[a-z][a-z-]*\d[\w-]*|[a-z]+\d*-[\w-]*\d[\w-]*)/)$"
)
_BROWSERS: Final = re.compile(
    r"\b(?:chrome|chromium|firefox|safari|edge?|edga|opr|version|applewebkit|gecko|okhttp|curl|wget|java|nginx|apache|"
    r"mozilla|cfnetwork|darwin|jakarta|httpclient)/$"
)
#: Text between two numbers in a row, of which the second is judged like the first.
_CONTINUES: Final = re.compile(
    r"[\w.+-]{0,12}[,)/]?[ ]{0,2}(?:(?:to|and|or|through|until|bis|auf|und|oder|a|à|y|-{0,2}>|→|=>|-|–|<)[ ]{1,2})?\(?",
    re.IGNORECASE,
)
#: Public resolvers, whose small numbers read like a version's.
_RESOLVERS: Final = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"})
#: First numbers above this are rare in versions.
_HIGH: Final = 31
_PRIVATE: Final = 10  # RFC 1918; also the first number of many versions
_THREE_DIGITS: Final = 99

_IPV6: Final = re.compile(
    r"[0-9A-Fa-f]{0,4}:(?:[0-9A-Fa-f:]{1,32}(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:]{1,38})(?:%[0-9A-Za-z]{1,16})?"
)
_COLONS: Final = 7  # in an address without a double colon
_GROUPS: Final = 3
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def ipv4(view: View) -> Iterator[tuple[int, int]]:
    """IPv4 addresses: four numbers, judged by the text around them, or else by their own size."""
    text = view.text
    if _SECOND.search(text) is None:
        return
    versions: set[str] = set()  # the first two numbers of those that are not addresses
    last_end = 0
    for match in _FOUR.finditer(text):
        start, end = match.span()
        octets = match.group().split(".")
        if not all(int(octet) <= _MAX_OCTET and (len(octet) == 1 or octet[0] != "0") for octet in octets):
            continue
        if not _is_bounded(text, start, end):
            continue
        branch = f"{octets[0]}.{octets[1]}."
        goes_on = last_end > 0 and _CONTINUES.fullmatch(text, last_end, min(start, last_end + 32)) is not None
        if not goes_on and _is_address(view, start, end, list(map(int, octets)), is_known=branch in versions):
            last_end = 0
            yield start, end
        else:
            versions.add(branch)
            last_end = end


def _is_bounded(text: str, start: int, end: int) -> bool:
    """Not part of a longer row of numbers or of a word; capitals may be glued behind it, as in a table."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before and (before[-1].isdigit() or before[-1] == "_" or (before[-1] == "." and before[:1].isalnum())):
        return False
    if not after:
        return True
    return not (after[0].isdigit() or (after[0] == "." and after[1:].isdigit()) or "a" <= after[0] <= "z")


def _is_address(view: View, start: int, end: int, octets: list[int], *, is_known: bool) -> bool:
    """Reads the signs around the numbers, the words before them, and last the numbers themselves."""
    before, after = view.lower[max(0, start - _CONTEXT) : start], view.text[end : end + 16]
    wide = sum(octet > _THREE_DIGITS for octet in octets) > 1 or (octets[0] == _PRIVATE and octets[1] > _HIGH)
    high = octets[0] > _HIGH or wide
    private = octets[0] == 127 or octets[:2] == [192, 168] or (octets[0] == 172 and 16 <= octets[1] <= 31)
    if before[-1:] == "v" or (not high and _AFTER_VERSION.match(after)) or view.label(start) == "phone":
        return False
    if _AFTER_ADDRESS.match(after) or (_BEFORE_ADDRESS.search(before) and not _is_folder(before, after)):
        return True
    if private or (high and octets[0] != _PRIVATE):
        return not _is_named_version(before)
    said = _said(before)
    if said is not None or view.text[start:end] in _RESOLVERS:
        return said is not False
    if is_known or _is_of_product(before, high=high):
        return False
    return (
        high
        or octets[0] == _PRIVATE
        or (_is_neutral(before) and f"{octets[0]}.{octets[1]}" not in view.memo(_releases))
    )


def _is_folder(before: str, after: str) -> bool:
    return before.endswith("/") and after[:1] == "/" and "://" not in before[-12:]


def _is_named_version(before: str) -> bool:
    """The word right before says "version", or a browser's name is glued to the number."""
    words = before[-16:].rstrip(" :=#").rsplit(None, 2)
    last = [word for word in words if word != "to"][-1:]
    return bool(last and last[0].strip("(") in _VERSION_WORDS) or _BROWSERS.search(before) is not None


def _said(before: str) -> bool | None:
    """Whether the nearest indicative word means an address (or a version); None without one."""
    if _CHANGED_TO.search(before) or before.endswith("<version>"):
        return False
    near = _NEAR
    for number, word in enumerate(reversed(_WORD.findall(before))):
        if word in ".!?\n":
            break
        if word[0].isdigit():
            near = 0  # an address word before another number is that one's
        if word in _VERSION_WORDS:
            return False
        if number < near and word in _ADDRESS_WORDS:
            return _SERVER_PRODUCT.search(before) is None
    if before.isascii():
        return None
    address = max(before.rfind(word) for word in _UNSPACED_ADDRESS)
    version = max(before.rfind(word) for word in _UNSPACED_VERSION)
    return None if address == version else address > version


def _is_of_product(before: str, *, high: bool) -> bool:
    """A name stands right before the numbers, and it is not a host's."""
    if _GLUED_NAME.search(before[-24:]) or _OTHER_VERSION.search(before):
        return True
    found = _PRODUCT.search(before)
    if found is None or _HOST_NAME.search(found.group(1)):
        return False
    return not high and found.group(1) not in _NO_PRODUCTS


def _releases(view: View) -> frozenset[str]:
    """The first two numbers of each release with two or three numbers that the text names."""
    return frozenset(match.group(1) for match in _RELEASE.finditer(view.text))


def _is_neutral(before: str) -> bool:
    """A preposition or a host's name stands before small numbers."""
    return _PRODUCT.search(before) is not None


def ipv6(view: View) -> Iterator[tuple[int, int]]:
    """Eight groups of hexadecimal digits, or fewer around a double colon."""
    text, done = view.text, 0
    at = text.find(":") if "::" in text or text.count(":") >= _COLONS else -1
    while at >= 0:
        start = at
        while start > max(done, at - 4) and text[start - 1] in _HEX:
            start -= 1
        match = _IPV6.match(text, start)
        if match is not None and _is_ipv6(text, match):
            yield match.span()
            done = match.end()
        at = text.find(":", max(at + 1, match.end() if match else 0))


def _is_ipv6(text: str, match: re.Match[str]) -> bool:
    """Parses, is bounded, and looks written as an address: code such as `ab::cd` and fingerprints do not."""
    start, end = match.span()
    if _touches(text[max(0, start - 1) : start], ":._") or _touches(text[end : end + 1], ":"):
        return False
    value = match.group().partition("%")[0]
    if not any(character.isdigit() for character in value):
        return False
    groups = [group for group in value.split(":") if group]
    if "::" in value:
        written = len(groups) >= _GROUPS or value.startswith("::") or len(groups[0]) == 4
    else:
        written = max(map(len, groups)) > 2
    try:
        return written and bool(ipaddress.IPv6Address(value))
    except ValueError:
        return False


def _touches(neighbour: str, signs: str) -> bool:
    return bool(neighbour) and neighbour.isascii() and (neighbour.isalnum() or neighbour in signs)


DETECTORS: Final = (
    Detector("IP", ipv6, (":",)),
    Detector("IP", ipv4, (".",), min_digits=4),
)
