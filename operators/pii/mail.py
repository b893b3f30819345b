"""E-mail addresses with an at sign."""

import re
from collections.abc import Iterator
from typing import Final

from operators.pii.detector import Detector, words
from operators.pii.view import View

#: Letters and digits of scripts with spaces between words. In others, an address ends where its own script does.
LETTER: Final = (
    r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff"
    r"\U00020000-\U0003ffff]"
)
LABEL: Final = rf"{LETTER}(?:(?:{LETTER}|-){{0,61}}{LETTER})?"
#: The last label has letters of one case, or of another script: what a table glues behind it stays.
_TOP: Final = (
    r"(?:[A-Z]{2,24}|[A-Z][a-z]{1,23}|[a-z]{2,24}|xn--[a-z0-9-]{2,40})(?![A-Za-z0-9])"
    r"|[a-z]{2,24}(?=[A-Z])|[A-Z]{2,24}(?=[A-Z][a-z])"
    rf"|(?![A-Za-z]+(?![^\W\d_])){LETTER}{{2,24}}"
)
_DOMAIN: Final = re.compile(rf"(?:{LABEL}\.){{1,8}}(?:{_TOP})|\[[0-9A-Fa-f.:]{{3,45}}\]")
#: Read backwards from the at sign: a plain name, a quoted one, or one in a script without spaces.
_LOCAL: Final = (
    re.compile(rf"(?:{LETTER}|[._%'+-]){{1,64}}"),
    re.compile(r'"[^"\n]{1,62}"'),
    re.compile(r"[^\W_]{1,16}"),
)
_WIDEST_LOCAL: Final = 64
#: Not part of the name: three letters of another script right before ASCII ones, or text that ends in a percent escape.
_GLUED: Final = (
    re.compile(
        r"(?:(?![\x00-\x7f])[^\W\d_]|[\u0900-\u0dff]){3,}(?=[!-~])(?![^\n]{0,64}(?![\x00-\x7f])[^\W\d_][^\n]{0,64}$)"
    ),
    re.compile(r"[^%]{0,64}(?:%[0-9A-Fa-f]{2}[^%]{0,64}?){1,16}?(?=[^%]*$)"),
)

#: After an at sign these are files and systemd's units, not domains.
FILES: Final = words("""
    png jpg jpeg gif svg webp bmp ico avif heic tiff pdf css scss less js mjs cjs jsx ts tsx json xml html htm
    yml yaml toml ini cfg conf txt log csv exe dll jar war tgz gz bz2 xz rar iso dmg apk deb rpm whl egg class
    java kt swift cpp hpp service timer socket mount target slice scope path lock patch diff tmp bak sql docx
    xlsx pptx doc xls ppt mp3 mp4 wav snap
""")
#: Countries too, in a domain of three labels.
_SCRIPTS: Final = frozenset({"py", "sh", "rb", "md"})
#: A release or a scale: react@17.0.2, logo@2x.png.
RELEASE: Final = re.compile(r"v?\d+(?:\.\d+)*[-x.]|\d+x\.")
#: The user of Git and its like, whose remotes look like addresses.
_SERVICES: Final = frozenset({"git", "hg", "svn", "gitlab", "gitea", "gitolite", "aur", "forgejo", "bitbucket"})
_REMOTE: Final = re.compile(r":[^\s]{1,100}\.git\b")
#: The hash that Java prints behind an object's class.
_OBJECT_ID: Final = re.compile(r"(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,8}\.")
#: Gmail's message ids.
_MESSAGE_ID: Final = re.compile(r"(?:3c)?ca[\w+=-]{30,}@mail\.gmail\.com")
#: Schemes of URLs that have a person before the host; in others it is a container or a service.
_MAIL_SCHEMES: Final = re.compile(r"(?:imaps?|smtps?|https?|ftp)://$")
_SCHEME_BEFORE: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'/?#]{0,64}$")
#: A Kerberos principal's service: nn/host@REALM.
_SERVICE_BEFORE: Final = re.compile(
    r"\b(?:nn|dn|jn|rm|nm|jhs|hdfs|hive|yarn|mapred|hadoop|hbase|http|host|kafka|kms|zookeeper|spark|impala|solr|ldap|"
    r"cifs|nfs|oozie|knox|ranger|atlas|postgres|mongodb)/$"
)
_SCHEME_REACH: Final = 90
#: Behind one of these no domain goes on with a longer label.
_LAST_LABELS: Final = frozenset({"com", "org", "net", "edu", "gov"})
_COUNTRY: Final = 3


def addresses(view: View) -> Iterator[tuple[int, int]]:
    """Addresses, left to right."""
    text, at, done = view.text, view.text.find("@"), 0
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        start = at if domain is None else _local_start(text, at, done)
        if domain is not None and start < at and _is_address(view, start, at, domain.end()):
            done = _domain_end(text, domain.start(), domain.end())
            yield start, done
        at = text.find("@", at + 1)


def _local_start(text: str, at: int, done: int) -> int:
    """The start of the name that ends at `at`."""
    reverse = text[max(done, at - _WIDEST_LOCAL) : at][::-1]
    for pattern in _LOCAL:
        found = pattern.match(reverse)
        if found is not None:
            break
    else:
        return at
    start = at - found.end()
    for pattern in _GLUED:
        glued = pattern.match(text, start, at)
        start = start if glued is None else glued.end()
    while start < at and text[start] in ".%'-":
        start += 1
    return start


def _domain_end(text: str, start: int, end: int) -> int:
    """A sentence that follows an address without a space is not part of it: "a@example.com.Thanks"."""
    labels = text[start:end].split(".")
    if text[end : end + 1] == "@" and len(labels) > 2:
        return end - len(labels[-1]) - 1
    for number, label in enumerate(labels[1:-1], 1):
        following = labels[number + 1]
        sentence = label.islower() and following[:1].isupper() and following[1:].islower()
        if sentence or (label in _LAST_LABELS and len(following) > _COUNTRY):
            return start + len(".".join(labels[: number + 1]))
    return end


def _is_address(view: View, start: int, at: int, end: int) -> bool:
    """Not a file, a release, an object, a Git remote, a message's id or a storage URL."""
    local, domain = view.lower[start:at], view.lower[at + 1 : end]
    if _is_file(domain) or RELEASE.match(domain) or local in _SERVICES:
        return False
    if _OBJECT_ID.match(domain) and any(c.isupper() or c == "$" for c in view.text[start:at]):
        return False
    if _REMOTE.match(view.text, end) or _MESSAGE_ID.fullmatch(view.lower, start, end):
        return False
    before = view.lower[max(0, start - _SCHEME_REACH) : start]
    if _SERVICE_BEFORE.search(before):
        return False
    scheme = _SCHEME_BEFORE.search(before) if "://" in before else None
    return scheme is None or _MAIL_SCHEMES.fullmatch(scheme.group()) is not None


def _is_file(domain: str) -> bool:
    name, _, ending = domain.rpartition(".")
    return ending in FILES or (ending in _SCRIPTS and "." not in name)


DETECTORS: Final = (Detector("EMAIL", addresses, ("@",)),)
