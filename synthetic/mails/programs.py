"""The layouts of mail programs for replies, forwards and inline answers, as text and as HTML."""

from collections.abc import Callable, Iterator
from html import escape
from typing import Final, Literal

from msgspec import Struct

from synthetic.mails.languages import LANGUAGES, MailLanguage

Kind = Literal["reply", "forward", "inline"]

_WHO: Final = "Example Support"
_MAIL: Final = "support@example.com"
_TO: Final = "ada@example.org"


class Mail(Struct, frozen=True):
    """A synthetic mail, with the owners of its lines.

    Attributes:
        own: lines that must be kept: the author's, and in a forward also those that are handed on.
        others: lines that must be cut.
    """

    program: str
    language: str
    kind: Kind
    body: str
    own: tuple[str, ...]
    others: tuple[str, ...]


def mails() -> Iterator[Mail]:
    """A mail of each program, language and kind that the program knows."""
    for language, words in LANGUAGES.items():
        for program, layout in _PROGRAMS.items():
            for kind in _KINDS.get(program, ("reply", "forward")):
                own, others = _lines(words, kind)
                yield Mail(program, language, kind, layout(words, kind), own, others)


def _lines(words: MailLanguage, kind: Kind) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if kind == "forward":
        return (*words.own[:1], *words.other), ()
    return words.own, words.other


def _outlook_headers(words: MailLanguage) -> list[tuple[str, str]]:
    values = (f"{_WHO} <{_MAIL}>", words.when, f"Ada <{_TO}>", "RE: 4711")
    return list(zip(words.headers, values, strict=True))


def _text_headers(words: MailLanguage) -> str:
    return "\n".join(f"{name}: {value}" for name, value in _outlook_headers(words))


def _filled(template: str) -> str:
    return template.format(who=_WHO, mail=_MAIL)


def _outlook_text(words: MailLanguage, kind: Kind) -> str:
    first, second = words.own
    own = first if kind == "forward" else f"{first}\n\n{second}"
    return f"{own}\n\n{_text_headers(words)}\n\n" + "\n".join(words.other)


def _outlook_text_marked(words: MailLanguage, kind: Kind) -> str:
    """Outlook before 2013 puts a marker above the headers."""
    del kind
    own = "\n".join(words.own)
    return f"{own}\n\n-----{words.original}-----\n{_text_headers(words)}\n\n" + "\n".join(words.other)


def _outlook_html(words: MailLanguage, kind: Kind) -> str:
    del kind
    headers = "<br>".join(f"<b>{escape(n)}:</b> {escape(v)}" for n, v in _outlook_headers(words))
    own = "".join(f'<p class="MsoNormal">{escape(line)}<o:p></o:p></p>' for line in words.own)
    old = "".join(f'<p class="MsoNormal">{escape(line)}<o:p></o:p></p>' for line in words.other)
    rule = '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
    return (
        "<html><head><style><!-- p.MsoNormal {margin:0cm;} --></style></head><body><div class=WordSection1>"
        f'{own}<div>{rule}<p class="MsoNormal">{headers}<o:p></o:p></p></div></div>{old}</div></body></html>'
    )


def _outlook_web(words: MailLanguage, kind: Kind) -> str:
    del kind
    headers = "<br>".join(f"<b>{escape(n)}:</b> {escape(v)}" for n, v in _outlook_headers(words))
    own = "".join(f'<div class="elementToProof">{escape(line)}</div>' for line in words.own)
    old = "".join(f"<div>{escape(line)}</div>" for line in words.other)
    return (
        f'<div>{own}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri">{headers}</font><div>&nbsp;</div></div>{old}'
    )


def _gmail_text(words: MailLanguage, kind: Kind) -> str:
    first, second = words.own
    asked, told = words.other
    if kind == "forward":
        marker = f"---------- {words.forwarded} ---------\n{_text_headers(words)}"
        return f"{first}\n\n{marker}\n\n{asked}\n{told}"
    if kind == "inline":
        return f"{_filled(words.gmail)}\n\n> {asked}\n\n{first}\n\n> {told}\n\n{second}"
    return f"{first}\n{second}\n\n{_filled(words.gmail)}\n\n> {asked}\n>\n> {told}\n"


def _gmail_html(words: MailLanguage, kind: Kind) -> str:
    first, second = map(escape, words.own)
    asked, told = map(escape, words.other)
    if kind == "forward":
        headers = "<br>".join(f"{escape(n)}: {escape(v)}" for n, v in _outlook_headers(words))
        return (
            f'<div dir="ltr">{first}<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
            f"---------- {escape(words.forwarded)} ---------<br>{headers}<br></div><br><br>"
            f"<div>{asked}</div><div>{told}</div></div></div>"
        )
    attribution = f'<div dir="ltr" class="gmail_attr">{escape(_filled(words.gmail))}<br></div>'
    quote = (
        f'<blockquote class="gmail_quote" style="margin:0 0 0 0.8ex"><div>{asked}</div><div>{told}</div></blockquote>'
    )
    if kind == "inline":
        cited = '<blockquote class="gmail_quote" style="margin:0 0 0 0.8ex">{}</blockquote>'
        return (
            f'<div dir="ltr"><div class="gmail_attr">{escape(_filled(words.gmail))}</div>{cited.format(asked)}'
            f"<div>{first}</div>{cited.format(told)}<div>{second}</div></div>"
        )
    return (
        f'<div dir="ltr"><div>{first}</div><div>{second}</div></div><br>'
        f'<div class="gmail_quote gmail_quote_container">{attribution}{quote}</div>'
    )


def _apple_text(words: MailLanguage, kind: Kind) -> str:
    first, second = words.own
    asked, told = words.other
    if kind == "forward":
        return f"{first}\n\n{words.apple_forward}\n\n{_text_headers(words)}\n\n{asked}\n{told}"
    if kind == "inline":
        return f"{_filled(words.apple)}\n\n> {asked}\n\n{first}\n\n> {told}\n\n{second}\n\n{words.device}"
    return f"{first}\n{second}\n\n{words.device}\n\n> {_filled(words.apple)}\n> \n> {asked}\n> {told}"


def _apple_html(words: MailLanguage, kind: Kind) -> str:
    first, second = map(escape, words.own)
    asked, told = map(escape, words.other)
    if kind == "forward":
        headers = "".join(f"<div><b>{escape(n)}: </b>{escape(v)}</div>" for n, v in _outlook_headers(words))
        return (
            f'<html><body>{first}<br><div><br><blockquote type="cite"><div>{escape(words.apple_forward)}</div><br>'
            f"{headers}<br><div>{asked}</div><div>{told}</div></blockquote></div></body></html>"
        )
    cite = '<blockquote type="cite"><div>{}</div></blockquote>'
    attribution = escape(_filled(words.apple))
    if kind == "inline":
        body = (
            f"<div>{attribution}</div><br>{cite.format(asked)}<div>{first}</div>{cite.format(told)}<div>{second}</div>"
        )
        return f"<html><body>{body}</body></html>"
    return (
        f"<html><body><div>{first}</div><div>{second}</div><br>{escape(words.device)}<div><br>"
        f'<blockquote type="cite">{attribution}<br><br></blockquote></div>{cite.format(asked + "<br>" + told)}</body></html>'
    )


def _thunderbird_text(words: MailLanguage, kind: Kind) -> str:
    first, second = words.own
    asked, told = words.other
    if kind == "forward":
        sender, sent, to, subject = words.headers
        table = f"{subject}: \t4711\n{sent}: \t{words.when}\n{sender}: \t{_WHO} <{_MAIL}>\n{to}: \tAda <{_TO}>"
        return f"{first}\n\n\n-------- {words.forwarded} --------\n{table}\n\n\n{asked}\n{told}"
    attribution = _filled(words.gmail)
    if kind == "inline":
        return f"{attribution}\n> {asked}\n{first}\n> {told}\n{second}\n"
    return f"{first}\n{second}\n\n{attribution}\n> {asked}\n> {told}\n"


def _thunderbird_html(words: MailLanguage, kind: Kind) -> str:
    first, second = map(escape, words.own)
    asked, told = map(escape, words.other)
    if kind == "forward":
        rows = "".join(
            f'<tr><th valign="BASELINE" nowrap="nowrap" align="RIGHT">{escape(n)}: </th><td>{escape(v)}</td></tr>'
            for n, v in _outlook_headers(words)
        )
        return (
            f'<html><body><p>{first}</p><div class="moz-forward-container"><br><br>-------- {escape(words.forwarded)} '
            f'--------<table class="moz-email-headers-table">{rows}</table><br><p>{asked}</p><p>{told}</p></div></body></html>'
        )
    prefix = f'<div class="moz-cite-prefix">{escape(_filled(words.gmail))}<br></div>'
    cite = '<blockquote type="cite" cite="mid:1@example.com"><p>{}</p></blockquote>'
    if kind == "inline":
        body = f"{prefix}{cite.format(asked)}<p>{first}</p>{cite.format(told)}<p>{second}</p>"
    else:
        body = f"<p>{first}</p><p>{second}</p>{prefix}{cite.format(asked + '</p><p>' + told)}"
    return f"<html><body>{body}</body></html>"


def _yahoo_html(words: MailLanguage, kind: Kind) -> str:
    del kind
    first, second = map(escape, words.own)
    asked, told = map(escape, words.other)
    return (
        f'<div class="ydp1yahoo-style-wrap"><div dir="ltr">{first}</div><div>{second}</div></div>'
        f'<div id="ydp2yahoo_quoted_1" class="yahoo_quoted"><div>{escape(_filled(words.gmail))}</div>'
        f"<div>{asked}</div><div>{told}</div></div>"
    )


def _lotus_text(words: MailLanguage, kind: Kind) -> str:
    first, second = words.own
    asked, told = words.other
    headers = "\n".join(f"{name}:\t{value}" for name, value in _outlook_headers(words))
    if kind == "forward":
        return f"{first}\n\n----- Forwarded by Ada/Example on 05-01-2026 09:12 -----\n\n{headers}\n\n{asked}\n{told}"
    return f"{first}\n{second}\n\n\n\n{headers}\n\n\n\n{asked}\n{told}"


def _zimbra_text(words: MailLanguage, kind: Kind) -> str:
    first, second = words.own
    asked, told = words.other
    if kind == "forward":
        return f"{first}\n\n----- {words.forwarded} -----\n{_text_headers(words)}\n\n{asked}\n{told}"
    return f"{first}\n{second}\n\n----- {words.original} -----\n{_text_headers(words)}\n\n{asked}\n{told}"


def _zimbra_html(words: MailLanguage, kind: Kind) -> str:
    first, second = map(escape, words.own)
    asked, told = map(escape, words.other)
    headers = "<br>".join(f"<b>{escape(n)}: </b>{escape(v)}" for n, v in _outlook_headers(words))
    own = f"<div>{first}</div>" if kind == "forward" else f"<div>{first}</div><div>{second}</div>"
    marker = f"<div>----- {escape(words.forwarded)} -----</div>" if kind == "forward" else ""
    return (
        f'<html><body><div style="font-family: arial">{own}<br><hr id="zwchr" data-marker="__DIVIDER__">'
        f'<div data-marker="__HEADERS__">{marker}{headers}<br></div><br><div data-marker="__QUOTED_TEXT__">'
        f"<div>{asked}</div><div>{told}</div></div></div></body></html>"
    )


_Layout = Callable[[MailLanguage, Kind], str]

_PROGRAMS: Final[dict[str, _Layout]] = {
    "Outlook, text": _outlook_text,
    "Outlook with a marker, text": _outlook_text_marked,
    "Outlook, HTML": _outlook_html,
    "Outlook on the web": _outlook_web,
    "Gmail, text": _gmail_text,
    "Gmail, HTML": _gmail_html,
    "Apple Mail, text": _apple_text,
    "Apple Mail, HTML": _apple_html,
    "Thunderbird, text": _thunderbird_text,
    "Thunderbird, HTML": _thunderbird_html,
    "Yahoo, HTML": _yahoo_html,
    "Lotus Notes, text": _lotus_text,
    "Zimbra, text": _zimbra_text,
    "Zimbra, HTML": _zimbra_html,
}
_ALL: Final[tuple[Kind, ...]] = ("reply", "forward", "inline")
#: Outlook's and Yahoo's forwards look like their replies: only the subject tells.
_KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    "Outlook, text": ("reply",),
    "Outlook with a marker, text": ("reply",),
    "Outlook, HTML": ("reply",),
    "Outlook on the web": ("reply",),
    "Yahoo, HTML": ("reply",),
    **dict.fromkeys(
        (
            "Gmail, text",
            "Gmail, HTML",
            "Apple Mail, text",
            "Apple Mail, HTML",
            "Thunderbird, text",
            "Thunderbird, HTML",
        ),
        _ALL,
    ),
}
