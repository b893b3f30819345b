"""Splits tickets into passages within the model's maximum length: by tokens, never across messages."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from unicodedata import category

import msgspec
from msgspec import Struct

from core.contract import Message, Role, UpsertEvent, milliseconds
from core.protocols import Tokenizer
from core.records import EnrichedTicket, Passage, Rejected

Span = tuple[int, int]

#: The embedded text of a ticket without text, so that filters still find it.
NO_TEXT: Final = "(no text)"

#: Maximum share of a window for the subject.
_PREFIX_SHARE: Final = 4
_SENTENCE_ENDS: Final = ".!?…。！？"  # noqa: RUF001 - the full-width ones are meant
#: Maximum characters of a passage per allowed token, and at least in all. English has 4 to 5 per token. Only words
#: that are one unknown token to the model, and characters that it ignores, have more: a word of a million characters
#: would be one passage.
_CHARACTERS_PER_TOKEN: Final = 16
_MIN_CHARACTERS: Final = 64
#: Characters that are tokenised in one call. A token takes a hundred bytes.
_SLICE: Final = 500_000
_PARAGRAPH, _SENTENCE, _WORD, _INSIDE_A_WORD = 3, 2, 1, 0


class _Piece(Struct, frozen=True):
    """A text of a ticket that becomes one or more passages."""

    text: str
    role: Role
    public: bool
    message: int
    at: int


def chunk(
    items: Sequence[EnrichedTicket], *, tokenizer: Tokenizer, max_tokens: int, overlap_tokens: int, max_passages: int
) -> list[EnrichedTicket | Rejected]:
    """Give each ticket its passages, of at most `max_tokens` tokens each with the subject before them.

    The ticket's own text comes first, then each message, with its role and visibility. A long text is cut at a
    paragraph, sentence or word, and neighbours share about `overlap_tokens` tokens. If a ticket has more than
    `max_passages`, the longest messages lose their ends, so a huge message doesn't displace the
    others.
    """
    done: list[EnrichedTicket | Rejected] = []
    for part in _slices(items):
        cutter = _Cutter(tokenizer, max_tokens, overlap_tokens)
        pieces = [[] if item.ticket.content is None else _pieces(item.ticket.content) for item in part]
        subjects = ["" if item.ticket.content is None else item.ticket.content.subject for item in part]
        cutter.prepare(subjects, pieces)
        for item, own in zip(part, pieces, strict=True):
            content = item.ticket.content
            done.append(item if content is None else _chunked(item, cutter, content, own, max_passages))
    return done


def _slices(items: Sequence[EnrichedTicket]) -> Iterator[Sequence[EnrichedTicket]]:
    first, characters = 0, 0
    for at, item in enumerate(items):
        content = item.ticket.content
        own = 0 if content is None else len(content.subject) + len(content.body) + sum(map(_length, content.messages))
        if at > first and characters + own > _SLICE:
            yield items[first:at]
            first, characters = at, 0
        characters += own
    yield items[first:]


def _length(message: Message) -> int:
    return len(message.body)


def _chunked(
    item: EnrichedTicket, cutter: "_Cutter", content: UpsertEvent, pieces: Sequence[_Piece], max_passages: int
) -> EnrichedTicket:
    found = _passages(cutter, content, pieces)
    kept = found if len(found) <= max_passages else _fair_share(found, max_passages)
    messages = len(content.messages)
    return msgspec.structs.replace(item, passages=kept, left_out=len(found) - len(kept), messages=messages)


def _fair_share(passages: Sequence[Passage], most: int) -> tuple[Passage, ...]:
    """The first passages of each message, in equal shares, so that only long messages lose some."""
    lengths = Counter(passage.message for passage in passages)
    share, spare, left = 0, most, sorted(lengths.values())
    while left and (left[0] - share) * len(left) <= spare:
        spare -= (left[0] - share) * len(left)
        share = left.pop(0)
    if left:
        share, spare = share + spare // len(left), spare % len(left)
    seen: Counter[int] = Counter()
    kept = []
    for passage in passages:
        seen[passage.message] += 1
        one_more = seen[passage.message] == share + 1 and spare > 0
        spare -= one_more
        if seen[passage.message] <= share or one_more:
            kept.append(passage)
    return tuple(kept)


def _pieces(content: UpsertEvent) -> list[_Piece]:
    created = milliseconds(content.created_at)
    own = _Piece(content.body, "customer", public=True, message=-1, at=created)
    pieces = [own] if content.body.strip() else []
    for number, message in enumerate(content.messages):
        repeats = number == 0 and message.public and message.body.strip() == content.body.strip()
        if message.body.strip() and not repeats:
            sent = milliseconds(message.created_at)
            pieces.append(_Piece(message.body, message.author, message.public, number, sent))
    return pieces


def _passages(cutter: "_Cutter", content: UpsertEvent, pieces: Sequence[_Piece]) -> tuple[Passage, ...]:
    subject, created = content.subject, milliseconds(content.created_at)
    prefix = cutter.prefix(subject)
    found = [
        Passage(text, f"{prefix}\n{text}" if prefix else text, piece.role, piece.public, piece.message, piece.at, span)
        for piece in pieces
        for text, span in _located(piece.text, cutter.cut(piece.text, prefix))
    ]
    if pieces and prefix == subject.strip():
        return tuple(found)
    # the subject is its own passage if there is no other text, or if it is too long to precede every passage
    alone = cutter.cut(subject, "") or ([] if found else [NO_TEXT])
    return (*(Passage(text, text, "customer", public=True, message=-1, at=created) for text in alone), *found)


def _located(text: str, parts: Sequence[str]) -> Iterator[tuple[str, Span]]:
    """Each part with its characters in `text`. Most parts begin after the one before; they may overlap."""
    start = -1
    for part in parts:
        after = text.find(part, start + 1)
        start = text.index(part) if after < 0 else after
        yield part, (start, start + len(part))


class _Cutter:
    """Cuts a batch's texts; those that could be too long are tokenised in one call."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int, overlap_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._max_characters = max(max_tokens * _CHARACTERS_PER_TOKEN, _MIN_CHARACTERS)
        self._prefix_tokens = max_tokens // _PREFIX_SHARE
        self._overlap = overlap_tokens
        self._spans: dict[str, Sequence[Span]] = {}

    def prepare(self, subjects: Sequence[str], pieces: Sequence[Sequence[_Piece]]) -> None:
        """Tokenise the texts that may not fit."""
        asked: dict[str, None] = {}
        for subject, of_ticket in zip(subjects, pieces, strict=True):
            doubtful = [piece.text for piece in of_ticket if not self._fits_for_sure(subject, piece.text)]
            if doubtful or not _at_most(subject, self._prefix_tokens):
                asked |= dict.fromkeys([subject, *doubtful])
        if asked:
            self._spans.update(zip(asked, self._tokenizer.spans(list(asked)), strict=True))

    def prefix(self, subject: str) -> str:
        """The subject before every passage: whole, or cut to its share of the window."""
        shown = subject[: max(self._max_characters // _PREFIX_SHARE, 1)]
        if _at_most(shown, self._prefix_tokens) or len(self._of(shown)) <= self._prefix_tokens:
            return shown.strip()
        if not self._prefix_tokens:  # the window is too small for it
            return ""
        return shown[: self._window(shown, 0, self._prefix_tokens)[1]].strip()

    def cut(self, text: str, prefix: str) -> list[str]:
        """`text` in windows that leave room for `prefix`; every character but white space is in one of them."""
        if not text.strip():
            return []
        if self._fits_for_sure(prefix, text):
            return [text.strip()]
        windows = self._cut_by_tokens(text, prefix)
        if all(len(window) <= self._max_characters for window in windows):
            return windows
        short = [part for window in windows for part in self._cut_by_characters(window)]
        # the rest of a cut word may have more tokens than the whole
        return [window for part in short for window in self._cut_by_tokens(part, prefix)]

    def _cut_by_characters(self, text: str) -> list[str]:
        """`text` in parts of at most `max_characters`, cut at white space in their second half where there is some."""
        parts, start = [], 0
        while len(text) - start > self._max_characters:
            end = start + self._max_characters
            spaces = (text.rfind(space, end - self._max_characters // 2, end) for space in " \n\t")
            at = max(spaces)
            end = at if at > 0 else end
            parts.append(text[start:end].strip())
            start = end
        return [part for part in (*parts, text[start:].strip()) if part]

    def _cut_by_tokens(self, text: str, prefix: str) -> list[str]:
        room = self._max_tokens - (len(self._of(prefix)) if prefix else 0)
        if len(self._of(text)) <= room:
            return [text.strip()]
        spans, cuts, first, start = self._of(text), [], 0, 0
        while len(spans) - first > room:
            last, end = self._window(text, first, room)
            cuts.append(text[start:end].strip())
            first = self._next(text, first, last)
            start = spans[first][0]
        tail = text[start:].strip()
        return [*cuts, *([tail] if len(self._of(tail)) <= room else self._cut_by_tokens(tail, prefix))]

    def _window(self, text: str, first: int, room: int) -> tuple[int, int]:
        """End of the window that begins at token `first`: the token after it, and that token's first character.

        The best boundary in the window's second half; inside a word only where there is none.
        """
        spans = self._of(text)
        candidates = range(first + room, first + room // 2, -1)
        last = max(candidates, key=lambda at: (_boundary(text, spans, at), at))
        whole_words = _boundary(text, spans, first) and _boundary(text, spans, last)
        # a cut word may have more tokens than the whole: count again
        while not whole_words and last > first + 1 and len(self._of(text[spans[first][0] : spans[last][0]])) > room:
            last -= 1
        return last, spans[last][0]

    def _next(self, text: str, first: int, last: int) -> int:
        """The token at which the window after [first, last) begins, for an overlap that starts with a word."""
        spans = self._of(text)
        back = range(max(first + 1, last - self._overlap), last)
        return next((at for at in back if _boundary(text, spans, at)), last)

    def _of(self, text: str) -> Sequence[Span]:
        if text not in self._spans:
            self._spans[text] = self._tokenizer.spans([text])[0]
        return self._spans[text]

    def _fits_for_sure(self, subject: str, text: str) -> bool:
        return _at_most(subject, self._max_tokens) and _at_most(text, self._max_tokens - len(subject))


def _at_most(text: str, tokens: int) -> bool:
    """An upper bound of the tokens without tokenising: a token of ASCII text has at least one character.

    One is added, because the tokenizers of some models put their own mark before a text.
    """
    return len(text) < tokens and text.isascii()


def _boundary(text: str, spans: Sequence[Span], at: int) -> int:
    """The quality of a cut before token `at`."""
    if at == 0:
        return _PARAGRAPH
    end, start = spans[at - 1][1], spans[at][0]
    gap = text[end:start]
    if "\n" in gap:
        return _PARAGRAPH
    if gap and text[end - 1] in _SENTENCE_ENDS:
        return _SENTENCE
    if any(map(_is_space, gap)) or _is_mark(text[end - 1]) or _is_mark(text[start]):
        return _WORD
    return _INSIDE_A_WORD


def _is_space(character: str) -> bool:
    """White space to a BERT tokenizer: not the control characters that Python counts, which it deletes unseen."""
    return character in "\t\n\r" or (character.isspace() and category(character) != "Cc")


def _is_mark(character: str) -> bool:
    """Punctuation to a BERT tokenizer, a word of its own: accents and emoji are not, they stick to their word."""
    return category(character)[0] == "P" or (
        character.isascii() and not character.isalnum() and character.isprintable()
    )
