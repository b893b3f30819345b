"""Converts HTML to the text that a person would read."""

import html
import re
from typing import Final, Literal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from operators.mail.cut import QUOTED
from operators.mail.lines import is_attribution, is_forward_marker

_BLOCK: Final = (
    "html", "body", "div", "p", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "ul", "ol", "li",
    "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "center", "section", "article",
    "header", "footer", "main", "nav", "aside", "figure", "figcaption", "form", "fieldset", "address", "details",
    "summary",
)  # fmt: skip
_INLINE: Final = (
    "a", "b", "i", "u", "s", "em", "strong", "span", "font", "code", "kbd", "samp", "var", "tt", "small", "big",
    "sup", "sub", "mark", "del", "ins", "strike", "q", "cite", "abbr", "label", "o:p",
)  # fmt: skip
_VOID: Final = ["br", "hr", "img", "wbr"]
_OTHER: Final = (
    "head", "style", "script", "title", "meta", "link", "base", "noscript", "template", "svg", "iframe", "object",
    "input", "button", "select", "option", "textarea", "colgroup", "col", "map", "area", "video", "audio", "source",
    "param", "embed", "bdo", "bdi", "ruby", "rt", "rp", "data", "time", "output", "progress",
)  # fmt: skip
_KNOWN: Final = "|".join(sorted((*_BLOCK, *_INLINE, *_VOID, *_OTHER), key=len, reverse=True))
_TAG: Final = re.compile(rf"<(/?)({_KNOWN})(?:\s[^<>]{{0,2000}})?/?>", re.IGNORECASE)
_INLINE_TAG: Final = re.compile(rf"</?(?:{'|'.join(_INLINE)}|br|wbr)(?:\s[^<>]{{0,2000}})?/?>", re.IGNORECASE)
#: Text that a parser would mistake for a tag: `List<String>`, `i<n`.
_NO_TAG: Final = re.compile(
    rf"<(?!/?(?:{_KNOWN}|[a-z]+[:-][\w:-]{{0,40}})(?=[\s/>])|!--|!doctype|!\[|/?\?)", re.IGNORECASE
)
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE)
#: Maximum tags that are checked to classify a text.
_LOOKED_AT: Final = 400

_DROPPED: Final = (
    "head, style, script, title, noscript, template, svg, iframe, object, .gmail_signature, .moz-signature, "
    "#ms-outlook-mobile-signature"
)
#: Marks of history by Gmail, Apple Mail, Thunderbird, Yahoo, Proton, Outlook, Zoho, Roundcube and GMX.
_HISTORY: Final = (
    "blockquote[type=cite], blockquote[cite], blockquote.gmail_quote, .gmail_quote, .gmail_quote_container, "
    ".moz-cite-prefix, .yahoo_quoted, .protonmail_quote, .zmail_extra, #reply-intro, div[name=quote], "
    "#mail-editor-reference-message-container, .ms-outlook-mobile-reference-message, .tutanota_quote, "
    ".front-blockquote, .freescout-quote, .zammad-quote"
)
_LINE_BLOCKS: Final = (
    "p, div, tr, table, ul, ol, li, dl, dt, dd, h1, h2, h3, h4, h5, h6, pre, blockquote, hr, section, article, header, "
    "footer, address, figure, caption, center"
)
_CELLS: Final = "td, th"
#: Maximum characters that are searched for the head of a quotation.
_HEAD: Final = 400
#: Maximum depth that is parsed, because the parser's cost grows with its square. Mails aren't deeper.
_MAX_DEPTH: Final = 256
#: Elements that hold nothing, or end with the next of their kind, don't nest by themselves; unknown ones do.
_NESTING: Final = re.compile(
    r"<(/?)(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|dt|dd|tr|td|th|tbody|thead|tfoot|"
    r"option|html|head|body)\b)[a-z][^<>]{0,2000}>",
    re.IGNORECASE,
)
_PRE: Final = re.compile(r"(<pre\b.*?</pre\s*>)", re.IGNORECASE | re.DOTALL)
#: Elements with invisible content, for the rendering without a tree.
_UNSEEN: Final = ("style", "script", "head", "title", "template", "noscript", "svg", "iframe", "object")
_COMMENT_OR_TAG: Final = re.compile(
    r"<!--.{0,20000}?-->|<(/?)([a-z][\w:-]{0,40})[^<>]{0,2000}>", re.IGNORECASE | re.DOTALL
)
_BREAKING: Final = frozenset({*_BLOCK, "br", "hr"}) - {"td", "th", "html", "body"}
#: Maximum parents and siblings that are searched for the text before a quotation.
_LEVELS: Final = 4
_SIBLINGS: Final = 4

Markup = Literal["html", "inline", "none"]


def markup_of(text: str) -> Markup:
    """The kind of `text`: an HTML document or fragment, plain text with a few inline tags, or plain text.

    A single tag, such as `<p>` in a line of code, doesn't make it HTML. A closed element, a line break (`<br>`) or a
    tag at the beginning does.
    """
    if "<" not in text:
        return "none"
    opened: set[str] = set()
    inline = breaks = 0
    for number, tag in enumerate(_TAG.finditer(text)):
        if number >= _LOOKED_AT:
            break
        closing, name = bool(tag[1]), tag[2].lower()
        if name in {"html", "body", "br", "hr"} or (name in {"img", "wbr"} and "=" in tag[0]):
            breaks += 1
        elif closing and (name in opened or name not in _INLINE):
            if name not in _INLINE:
                return "html"
            inline += 1
        elif not closing:
            opened.add(name)
    begins = text.lstrip()[:1] == "<" and bool(opened)
    if breaks and (breaks > 1 or "\n" not in text or inline or begins):
        return "html"
    if begins and any(name not in _INLINE for name in opened):
        return "html"
    return "inline" if inline else "none"


def decode_entities(text: str) -> str:
    """`text` with its complete entities decoded, such as `&nbsp;` and `&#64;`; plain-text parts of mails hold them."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text


def html_to_text(source: str, kind: Markup = "html") -> str:
    """The visible text: without markup and scripts, one line per block, with history marked."""
    if kind == "inline":  # a person's line breaks stay
        return decode_entities(_INLINE_TAG.sub("", source))
    source = _NO_TAG.sub("&lt;", source)
    if _is_too_deep(source):
        return _flat(source)
    # A line break is white space in HTML, except in preformatted text.
    parts = _PRE.split(source) if "<pre" in source.lower() else [source]
    source = "".join(part if at % 2 else part.replace("\r", " ").replace("\n", " ") for at, part in enumerate(parts))
    return _rendered(source)


def _rendered(source: str) -> str:
    tree = LexborHTMLParser(source)
    for node in tree.css(_DROPPED):
        node.decompose()
    for node in tree.css("br"):
        node.replace_with("\n")
    for node in _history(tree):
        node.replace_with(f"\n{QUOTED}\n")
    for node in tree.css(_CELLS):
        node.insert_before(" ")
        node.insert_after(" ")
    for node in tree.css(_LINE_BLOCKS):
        node.insert_before("\n")
        node.insert_after("\n")
    body = tree.body or tree.root
    return "" if body is None else body.text(deep=True)


def _history(tree: LexborHTMLParser) -> list[LexborNode]:
    """Outermost elements of history: marked by their program, or a quotation below an attribution.

    An element below the head of a forward is forwarded text, and stays.
    """
    marked = {node.mem_id for node in tree.css(_HISTORY)}
    found: dict[int, LexborNode] = {}
    for node in tree.css(f"{_HISTORY}, blockquote"):
        if _within(node, found):
            continue
        before = _text_before(node)
        if _heads_forward(node.text(deep=True, separator="\n")[:_HEAD]) or _heads_forward(before):
            continue
        if node.mem_id in marked or is_attribution(_last_line(before)):
            found[node.mem_id] = node
    return list(found.values())


def _within(node: LexborNode, found: dict[int, LexborNode]) -> bool:
    parent = node.parent if found else None
    while parent is not None:
        if parent.mem_id in found:
            return True
        parent = parent.parent
    return False


def _text_before(node: LexborNode) -> str:
    """The nearest text before an element, among a few siblings and parents."""
    here: LexborNode | None = node
    for _ in range(_LEVELS):
        sibling = None if here is None else here.prev
        for _ in range(_SIBLINGS):
            if sibling is None:
                break
            text = sibling.text(deep=True)[-_HEAD:].strip()
            if text:
                return text
            sibling = sibling.prev
        here = None if here is None else here.parent
    return ""


def _last_line(text: str) -> str:
    return " ".join(text.rsplit("\n", 1)[-1].split())


def _heads_forward(text: str) -> bool:
    return any(is_forward_marker(" ".join(line.split())) for line in text.split("\n"))


def _is_too_deep(source: str) -> bool:
    depth = 0
    for tag in _NESTING.finditer(source):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > _MAX_DEPTH:
            return True
    return False


def _flat(source: str) -> str:
    """The text without a tree, for markup that is too deep for one: tags become line breaks, spaces or nothing."""
    out, at, unseen = [], 0, ""
    for tag in _COMMENT_OR_TAG.finditer(source):
        if not unseen:
            out.append(source[at : tag.start()])
        at = tag.end()
        name = (tag[2] or "").lower()
        if unseen:
            unseen = "" if tag[1] and name == unseen else unseen
        elif not tag[1] and name in _UNSEEN:
            unseen = name
        else:
            out.append("\n" if name in _BREAKING else " " if name in ("td", "th") else "")
    if not unseen:
        out.append(source[at:])
    return html.unescape("".join(out))
