"""Passages are bounded, have one author each, and cover the whole ticket."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from core.protocols import Tokenizer as TokenizerPort
from core.records import EnrichedTicket, Passage
from models.run.hashing import HashingEmbedder
from operators.chunk import NO_TEXT, chunk
from tests.operators.samples import enriched, message

WORDS = HashingEmbedder()


class WordPiece:
    """A tokenizer as BERT has it, over a tiny vocabulary: words break into pieces, and halves of words into more."""

    def __init__(self) -> None:
        pieces = ["[UNK]", *"abcdefghijklmnopqrstuvwxyz.,!?", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]
        pieces += ["the", "lost", "card", "##ing", "##ation", "inform"]
        model = models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]")
        self._tokenizer = Tokenizer(model)
        self._tokenizer.normalizer = normalizers.BertNormalizer()
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """See `core.protocols.Tokenizer`."""
        return [e.offsets for e in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


WORDPIECE = WordPiece()
WORDS_AND_WORSE = ["the", "lost", "information", "carding", "x" * 30, "日本語", "é.", "\n", "!"]


def _chunked(
    ticket: EnrichedTicket,
    *,
    tokenizer: TokenizerPort = WORDS,
    most: int = 32,
    overlap: int = 4,
    max_passages: int = 100_000,
) -> EnrichedTicket:
    (done,) = chunk([ticket], tokenizer=tokenizer, max_tokens=most, overlap_tokens=overlap, max_passages=max_passages)
    assert isinstance(done, EnrichedTicket)
    return done


def _passages(
    ticket: EnrichedTicket, *, tokenizer: TokenizerPort = WORDS, most: int = 32, overlap: int = 4
) -> tuple[Passage, ...]:
    return _chunked(ticket, tokenizer=tokenizer, most=most, overlap=overlap).passages


def test_a_short_ticket_is_one_passage_with_its_subject_before_it() -> None:
    """A short ticket is one passage that shows the body and embeds the subject before it."""
    (only,) = _passages(enriched(subject="Card lost", body="In Lyon."))
    assert (only.text, only.embed_text) == ("In Lyon.", "Card lost\nIn Lyon.")
    assert (only.role, only.public, only.message) == ("customer", True, -1)


def test_every_message_keeps_its_author_and_visibility() -> None:
    """An internal note never shares a passage with what the customer may see."""
    ticket = enriched(
        subject="Card",
        body="Lost.",
        messages=(message("Where?"), message("note to self", public=False), message("Lyon", author="customer")),
    )
    found = [(p.text, p.role, p.public, p.message) for p in _passages(ticket)]
    assert found == [
        ("Lost.", "customer", True, -1),
        ("Where?", "agent", True, 0),
        ("note to self", "agent", False, 1),
        ("Lyon", "customer", True, 2),
    ]


def test_a_first_message_that_repeats_the_body_is_left_out() -> None:
    """A public first message that repeats the body is dropped; an internal copy is kept."""
    repeated = enriched(body="Lost.", messages=(message("Lost."), message("Lost.", public=False)))
    assert [p.message for p in _passages(repeated)] == [-1, 1]


def test_a_ticket_without_text_is_still_there() -> None:
    """A ticket without a body has one passage, so that filters find it."""
    assert [p.text for p in _passages(enriched())] == [NO_TEXT]
    assert [p.text for p in _passages(enriched(subject="Only a subject"))] == ["Only a subject"]


def test_a_long_text_is_cut_at_sentences_and_overlaps() -> None:
    """Each window but the last ends where a sentence does, and begins before the one before it ended."""
    body = " ".join(f"This is sentence number {n} of them." for n in range(30))
    found = _passages(enriched(subject="Long", body=body), overlap=8)
    assert len(found) > 3
    assert all(p.text.endswith(".") for p in found)
    assert all(later.text.split(".")[0] in earlier.text for earlier, later in pairwise(found))


def test_a_subject_as_long_as_a_book_is_bounded_and_kept() -> None:
    """A long subject is cut to a quarter of each window, and also has its own passages."""
    subject = " ".join(f"word{n}" for n in range(100))
    found = _passages(enriched(subject=subject, body="Short."))
    assert all(len(WORDS.spans([p.embed_text])[0]) <= 32 for p in found)
    assert "word99" in " ".join(p.text for p in found)


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
def test_tiny_windows_still_hold_everything(most: int) -> None:
    """In the smallest windows a subject that doesn't fit has its own passages."""
    found = _passages(enriched(subject="Card lost", body="In Lyon, on a train."), most=most, overlap=0)
    assert all(len(WORDS.spans([p.embed_text])[0]) <= most for p in found)
    assert {"Card", "lost", "Lyon", "train"} <= set(re.findall(r"\w+", " ".join(p.text for p in found)))


@pytest.mark.parametrize("joint", ["\x00", "\u200b", "\x1c", "e\u0301"])
def test_a_cut_text_with_more_tokens_is_cut_again(joint: str) -> None:
    """A window is tokenized after the cut, because `##ing` inside a word is one token and `ing` alone three."""
    found = _passages(enriched(body=f"x{joint}" + f"ing{joint}" * 20), tokenizer=WORDPIECE, most=12, overlap=0)
    assert len(found) > 1
    assert max(len(tokens) for tokens in WORDPIECE.spans([p.embed_text for p in found])) <= 12


@pytest.mark.parametrize(
    "text",
    ["x" * 90_000, "e" + "\u0301" * 90_000, "\u0301" * 90_000, "Rindfleisch" * 9_000, "the " + "y" * 90_000 + " lost"],
    ids=["one-word", "accents-on-a-letter", "accents-alone", "word", "among-others"],
)
@pytest.mark.parametrize("tokenizer", [WORDS, WORDPIECE], ids=["words", "wordpiece"])
def test_a_passage_is_bounded_in_characters(tokenizer: TokenizerPort, text: str) -> None:
    """A word of any length is cut, also where the tokenizer takes it for one unknown token or for none."""
    for ticket in (enriched(body=text), enriched(subject=text, body="Lost."), enriched(subject="Card", body=text)):
        found = _passages(ticket, tokenizer=tokenizer, most=32)
        assert max(len(p.text) for p in found) <= 32 * 16
        assert max(len(p.embed_text) for p in found) <= 32 * 16 + 32 * 4 + 1
        assert max(len(tokens) for tokens in tokenizer.spans([p.embed_text for p in found])) <= 32
        shown = "".join(p.text for p in found)
        assert all(shown.count(letter) >= text.count(letter) for letter in set(text) - {" "})


def test_the_longest_messages_lose_their_ends() -> None:
    """A ticket with too many passages keeps the first ones of every message, and huge messages get equal shares."""
    long = " ".join(f"w{n}" for n in range(3_000))
    messages = [message("first"), message(long), message("between"), message(long), message("last", public=False)]
    done = _chunked(enriched(body="Lost.", messages=tuple(messages)), max_passages=51)
    assert Counter(p.message for p in done.passages) == {-1: 1, 0: 1, 1: 24, 2: 1, 3: 23, 4: 1}
    whole = _chunked(enriched(body="Lost.", messages=tuple(messages)))
    assert whole.left_out == 0
    assert done.left_out == len(whole.passages) - 51
    for number in range(-1, 5):
        kept = [p for p in done.passages if p.message == number]
        assert kept == [p for p in whole.passages if p.message == number][: len(kept)]


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=9), most=st.integers(1, 40))
def test_a_share_is_fair(lengths: list[int], most: int) -> None:
    """All allowed passages are kept, and no message keeps two more than another that has lost some."""
    messages = tuple(message(" ".join(f"w{n}" for n in range(32 * length))) for length in lengths)
    done = _chunked(enriched(messages=messages), overlap=0, max_passages=most)
    had = Counter(p.message for p in _passages(enriched(messages=messages), overlap=0))
    kept = Counter(p.message for p in done.passages)
    assert kept.total() == min(had.total(), most)
    shortened = [kept[number] for number in had if kept[number] < had[number]]
    assert max(kept.values()) <= min(shortened, default=1_000) + 1


def test_few_characters_are_tokenised_at_once() -> None:
    """The texts of a batch are tokenised in slices: all tokens at once would take a hundred times the memory."""
    asked: list[int] = []

    class Counting:
        def spans(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
            asked.append(sum(map(len, texts)))
            return WORDS.spans(texts)

    body = "word " * 40_000
    tickets = [enriched(body=body) for _ in range(9)]
    chunk(tickets, tokenizer=Counting(), max_tokens=32, overlap_tokens=4, max_passages=1_000)
    assert max(asked) <= 500_000


@pytest.mark.parametrize("tokenizer", [WORDS, WORDPIECE], ids=["words", "wordpiece"])
@settings(max_examples=150, deadline=None)
@given(
    subject=st.text(max_size=60),
    body=st.text(max_size=400)
    | st.lists(st.sampled_from(WORDS_AND_WORSE), max_size=80).map(" ".join)
    | st.text(alphabet="abc", min_size=50, max_size=900)
    | st.text(alphabet="a\u0301 \n", max_size=900),
    most=st.integers(12, 40),
)
def test_windows_are_bounded_and_cover_everything(tokenizer: TokenizerPort, subject: str, body: str, most: int) -> None:
    """No embedded text is longer than the model reads, and every word of the ticket is in some passage."""
    found = _passages(enriched(subject=subject, body=body), tokenizer=tokenizer, most=most, overlap=most // 5)
    for passage in found:
        assert len(tokenizer.spans([passage.embed_text])[0]) <= most
        assert len(passage.text) <= 16 * most
    shown = [re.sub(r"\s", "", p.text) for p in found]
    wanted = re.sub(r"\s", "", body)
    at = 0
    for text in shown:  # in order, each beginning no later than the one before ended
        start = wanted.rfind(text, 0, at + len(text))
        if start >= 0:
            at = max(at, start + len(text))
    assert at == len(wanted)


def test_the_last_window_alone_has_the_end_of_the_text() -> None:
    """A chunker that drops the last window loses words, which the test above catches."""
    body = " ".join(f"w{n}" for n in range(100))
    whole = _passages(enriched(body=body))
    assert whole[-1].text.endswith("w99")
    assert not any(p.text.endswith("w99") for p in whole[:-1])
