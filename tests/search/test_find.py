"""Searches for a question and for similar tickets, on an in-memory index."""

from collections.abc import Sequence

import pytest

from core.errors import ConfigError
from core.index import SearchQuery
from core.protocols import Embedder, TextKind
from core.records import Vector
from models.run.hashing import HashingEmbedder
from operators.language import CompactDetector
from search.find import Plan, find
from search.fuse import IDENTIFIER, PLAIN
from search.rank import NO_FACTORS, Factors
from search.resources import Resources
from search.result import Answer
from search.similar import find_similar
from tests.search.fake_index import FakePassages

NOW = 1_800_000_000_000
QUERY = SearchQuery(tenant_id="acme", limit=5)


def filled() -> FakePassages:
    """A few tickets of one tenant."""
    index = FakePassages(HashingEmbedder())
    index.add("1", "my order A-42988 has not arrived", subject="Parcel", status="open")
    index.add("2", "my order B-17 has not arrived", "The parcel left on Monday.", subject="Parcel", status="open")
    index.add("3", "the disk is full", "Delete the old logs.", subject="Server down", status="solved", solved="yes")
    index.add("4", "call 555 0134 22 about order number 5550134", subject="Refund", status="open")
    return index


@pytest.fixture(name="index")
def _index() -> FakePassages:
    return filled()


class _Listening(HashingEmbedder):
    """Keeps the texts that it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        self.heard += texts
        return super().embed(texts, kind)


def _find(
    index: FakePassages,
    text: str,
    query: SearchQuery = QUERY,
    plan: Plan | None = None,
    embedder: Embedder | None = None,
) -> Answer:
    resources = Resources(index, embedder or HashingEmbedder(), CompactDetector())
    return find(text, query, resources, plan or Plan(factors=NO_FACTORS), now_ms=NOW)


def _ids(answer: Answer) -> list[str]:
    return [hit.ticket_id for hit in answer.hits]


def test_an_identifier_finds_its_ticket(index: FakePassages) -> None:
    """A known identifier raises the weight of words, and the hit lists it."""
    answer = _find(index, "where is order A-42988?")
    assert (_ids(answer)[0], answer.words_weight, answer.identifiers) == ("1", IDENTIFIER, ("a-42988",))
    assert (answer.hits[0].exact, answer.hits[0].why in {"words", "both"}) == (("a-42988",), True)


def test_the_identifier_of_a_long_question_finds_its_ticket(index: FakePassages) -> None:
    """An order number in a pasted mail finds its ticket, unless several tickets hold it."""
    mail = "I hope that all of you are well, and enjoyed the weekend by the lake with your families. " * 4
    answer = _find(index, f"{mail} My order A-42988 is late.")
    assert (_ids(answer)[0], answer.identifiers, answer.nothing) == ("1", ("a-42988",), False)
    index.add("7", "my order A-42988 has not arrived")
    assert _find(index, f"{mail} My order A-42988 is late.").identifiers == ()


def test_invisible_characters_in_a_question_are_removed(index: FakePassages) -> None:
    """An identifier, or a filter, that was copied with invisible characters is found as without them."""
    answer = _find(index, "\ufeffwhere is A-429\u200b88 status:open\u2060")
    assert (answer.identifiers, index.asked[-1].status) == (("a-42988",), ("open",))


def test_an_unknown_identifier_leaves_the_gate_shut(index: FakePassages) -> None:
    """An identifier that no ticket holds changes no weight."""
    answer = _find(index, "where is order Z-99999?")
    assert answer.words_weight <= PLAIN
    assert answer.identifiers == ()


def test_words_can_be_left_out(index: FakePassages) -> None:
    """Without words hits are ranked by meaning alone, also with an identifier."""
    answer = _find(index, "where is order A-42988?", plan=Plan(factors=NO_FACTORS, words=False))
    assert {hit.words for hit in answer.hits} == {0}
    assert [hit.similarity for hit in answer.hits] == sorted((hit.similarity for hit in answer.hits), reverse=True)
    assert answer.identifiers == ()


def test_filters_in_the_question_reach_the_index(index: FakePassages) -> None:
    """A filter narrows the search, and isn't searched for as text."""
    assert _ids(_find(index, "order status:solved")) == ["3"]
    assert index.asked[-1].status == ("solved",)


def test_a_required_phrase_is_held_by_every_hit(index: FakePassages) -> None:
    """A question that is mostly a phrase finds only passages that hold it."""
    assert _ids(_find(index, '"disk is full"')) == ["3"]
    assert _ids(_find(index, '"full disk"')) == []


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ('"請求書"', "東京都の請求書が届きません"),
        ("「接続拒否」エラー", "画面に接続拒否と出ます"),
        ('"ระบบ"', "เข้าสู่ระบบไม่ได้"),
        ('"can\'t connect"', "It can’t connect any more."),
        ('"A-42 B"', "since A‑42 B is here"),
        ("”relay denied”", "says relay denied"),
        ('"relay\u200b denied"', "says relay denied"),
    ],
)
def test_a_phrase_is_found_as_people_write_it(index: FakePassages, question: str, passage: str) -> None:
    """A phrase is held within a script without spaces, and whichever quotes, dashes and apostrophes are used."""
    index.add("7", passage)
    assert _ids(_find(index, question)) == ["7"]


def test_a_preferred_phrase_comes_first(index: FakePassages) -> None:
    """A phrase within a longer question prefers the passages that hold it and excludes none."""
    answer = _find(index, 'since monday the gateway tells "disk is full" to each of my users')
    assert (_ids(answer)[0], len(answer.hits)) == ("3", 4)


def test_a_ticket_is_found_once(index: FakePassages) -> None:
    """A ticket of several passages is one hit, and the limit counts tickets."""
    assert len(_ids(_find(index, "parcel"))) == 4
    assert len(_ids(_find(index, "parcel", SearchQuery(tenant_id="acme", limit=2)))) == 2


def test_a_hit_says_its_passage_and_outcome(index: FakePassages) -> None:
    """A hit has the chunk and message of its best passage, and its ticket's outcome."""
    hit = _find(index, "delete the old logs").hits[0]
    assert (hit.ticket_id, hit.chunk, hit.message, hit.solved) == ("3", 1, 0, True)


def test_personal_data_in_a_question_is_redacted(index: FakePassages) -> None:
    """The model and the index get a placeholder instead of an address, as tickets hold one."""
    index.add("9", "write to [EMAIL]", subject="Mail")
    embedder = _Listening()
    assert _find(index, "where is ada@example.com", embedder=embedder).identifiers == ()
    assert embedder.heard == ["where is [EMAIL]"]


def test_a_number_that_tickets_hold_is_not_lost_to_redaction(index: FakePassages) -> None:
    """A value that looks like personal data isn't redacted if the tenant's tickets contain it as an identifier."""
    number = "+49-30-901820"
    assert _find(index, f"{number} is down").identifiers == ()
    index.add("5", f"part number {number} is down", subject="Spare part")
    assert _find(index, f"{number} is down").hits[0].ticket_id == "5"


def test_a_public_question_reads_no_internal_notes(index: FakePassages) -> None:
    """Text in internal notes only is not found, doesn't prevent redaction, and isn't used for similar tickets."""
    number = "+49-30-901820"
    index.add("5", f"part number {number} is down", subject="Spare part", visibility="internal")
    public, embedder = SearchQuery(tenant_id="acme", public_only=True), _Listening()
    answer = _find(index, f"{number} is down", public, embedder=embedder)
    assert "5" not in _ids(answer)
    assert embedder.heard == ["[PHONE] is down"]
    with pytest.raises(ConfigError, match="no ticket '5'"):
        find_similar("5", public, Resources(index, HashingEmbedder(), CompactDetector()), Plan(), now_ms=NOW)


def test_a_far_question_finds_nothing(index: FakePassages) -> None:
    """A question without a relevant ticket is marked as "nothing found", unless the threshold is 0."""
    text = "umbrella zoo xylophone"
    answer = _find(index, text)
    assert (answer.nothing, len(answer.hits)) == (True, 4)
    assert not _find(index, text, plan=Plan(min_confidence=0)).nothing
    assert not _find(index, "my order A-42988 has not arrived").nothing


def test_each_retrieval_finds_more_than_the_limit(index: FakePassages) -> None:
    """The index is asked for at least 10 tickets, and for many if they are filtered by a phrase."""
    _find(index, "parcel", SearchQuery(tenant_id="acme", limit=1))
    _find(index, '"disk is full"', SearchQuery(tenant_id="acme", limit=1))
    _find(index, "parcel", SearchQuery(tenant_id="acme", limit=50))
    assert [asked.limit for asked in index.asked] == [10, 200, 50]


def test_a_solved_ticket_is_preferred(index: FakePassages) -> None:
    """Of two like tickets the solved one comes first, unless the factor is switched off."""
    index.add("6", "the tunnel breaks after a minute", subject="VPN")
    index.add("7", "the tunnel breaks after a minute", subject="VPN", solved="yes")
    assert _ids(_find(index, "tunnel breaks", plan=Plan(factors=Factors(recent=0))))[0] == "7"
    assert _ids(_find(index, "tunnel breaks"))[0] == "6"


def test_an_answer_says_the_language_of_its_question(index: FakePassages) -> None:
    """The answer has the language of a confident detection; for a lone identifier it has none."""
    asked = {"der Server ist ausgefallen und die Platte ist voll": "de", "A-42988": None}
    assert {text: _find(index, text).language for text in asked} == asked


def test_another_tenant_finds_nothing(index: FakePassages) -> None:
    """A tenant without tickets gets no hits, and the answer is marked as "nothing found"."""
    answer = _find(index, "parcel", SearchQuery(tenant_id="other"))
    assert (answer.hits, answer.nothing, answer.confidence) == ((), True, 0.0)


def test_similar_tickets_leave_the_ticket_out(index: FakePassages) -> None:
    """Similar tickets are found by a ticket's stored vectors, and exclude it."""
    resources = Resources(index, HashingEmbedder(), CompactDetector())
    answer = find_similar("1", QUERY, resources, Plan(factors=NO_FACTORS), now_ms=NOW)
    assert _ids(answer)[0] == "2"
    assert "1" not in _ids(answer)


def test_an_unknown_ticket_is_named() -> None:
    """Similar tickets of an unknown ticket are an error that names it."""
    resources = Resources(FakePassages(HashingEmbedder()), HashingEmbedder(), CompactDetector())
    with pytest.raises(ConfigError, match="tenant acme has no ticket '7'"):
        find_similar("7", QUERY, resources, Plan(), now_ms=NOW)
