"""HTML to the text a person would read."""

import re
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

#: A tag that a mail client writes. "if a < b and c > d" and "<3" have none.
_TAG: Final = re.compile(
    r"</?(?:html|body|head|p|div|br|span|table|tbody|tr|td|th|ul|ol|li|a|b|i|u|em|strong|font|img|h[1-6]|pre|code|hr|"
    r"blockquote|style|script|center|section|article|small|sup|sub)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_DROPPED: Final = "head, style, script, title, noscript, template, svg, iframe, object"
#: How mail clients mark what they quote: Gmail, Outlook, Yahoo, Thunderbird, Apple Mail.
_QUOTED: Final = (
    "blockquote, .gmail_quote, .gmail_quote_container, .gmail_attr, #divRplyFwdMsg, #appendonsend, .yahoo_quoted, "
    ".moz-cite-prefix, .moz-signature, .gmail_signature"
)
_BLOCKS: Final = "p, div, tr, table, ul, ol, li, h1, h2, h3, h4, h5, h6, pre, blockquote, hr, section, article"
#: Deeper markup is no mail: the parser's cost grows with the square of the depth.
_MAX_DEPTH: Final = 256
#: Whatever its name: a parser nests tags that nobody knows, too. Those that hold nothing, or end with the next of their
#: kind, don't nest by themselves.
_NESTING: Final = re.compile(
    r"<(/?)(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|dt|dd|tr|td|th|tbody|thead|tfoot|"
    r"option|html|head|body)\b)[a-z][^<>]{0,2000}>",
    re.IGNORECASE,
)


def is_html(text: str) -> bool:
    """Whether `text` holds a tag that HTML has, rather than just an angle bracket."""
    return "<" in text and _TAG.search(text) is not None


def html_to_text(html: str) -> str:
    """What is shown: no markup, no scripts, no quoted history; one line per block."""
    # In HTML a line break is white space, but for preformatted text.
    source = html if "<pre" in html.lower() else html.replace("\r", " ").replace("\n", " ")
    if _is_too_deep(source):
        return _TAG.sub("\n", source)
    unquoted = _text(source, dropped=f"{_DROPPED}, {_QUOTED}")
    return unquoted if unquoted.strip() else _text(source, dropped=_DROPPED)


def _is_too_deep(source: str) -> bool:
    depth = 0
    for tag in _NESTING.finditer(source):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > _MAX_DEPTH:
            return True
    return False


def _text(source: str, *, dropped: str) -> str:
    tree = LexborHTMLParser(source)
    for node in tree.css(dropped):
        node.decompose()
    for node in tree.css("br"):
        node.replace_with("\n")
    for node in tree.css(_BLOCKS):
        _break_around(node)
    body = tree.body or tree.root
    return "" if body is None else body.text(deep=True)


def _break_around(node: LexborNode) -> None:
    node.insert_before("\n")
    node.insert_after("\n")
