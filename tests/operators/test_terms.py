"""The terms of passages and questions: identifiers and their parts, stems, weights and placeholders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import TicketPoints
from core.wire.embedded import decode_embedded, encode_embedded
from operators import terms as module
from operators.terms import add_terms, identifiers, passage_terms, question_terms, term_id
from tests.contracts.index_laws import ticket
from tests.operators.samples import raw


def _shared(question: str, passage: str, *languages: str | None) -> int:
    """Number of the question's terms that the passage has."""
    asked = question_terms(question, *languages)
    return np.intersect1d(asked.indices, passage_terms(passage, languages[0] if languages else None).indices).size


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("fails with ERR_CONN-42.", ("ERR_CONN-42", "err_conn", "conn", "42")),
        ("version 2.53.18.2 is out", ("2.53.18.2", "2.53", "2.53.18")),
        ("(order A-42988)", ("A-42988", "42988")),
        ("ping host01.example:8080", ("host01.example", "host01", "8080", "example")),
        ("a java.lang.NullPointerException: null", ("NullPointerException", "null pointer", "exception")),
        ("see /var/log/app-1.log", ("/var/log/app-1.log", "app-1.log", "/app-1.log")),
        ("https://host01.example/a?key=B-77", ("host01.example", "B-77", "http://host01.example/a")),
        ("jackson-databind-2.9.10.2.jar", ("jackson-databind", "2.9.10.2", "jackson", "databind")),
        ("DataNode.transfer(DataNode.java:1234)", ("DataNode.java:1234", "DataNode", "data node")),
        ("KB5034441 in C++ or C#", ("KB5034441", "5034441", "C++", "c#")),
        ("my E-Mail", ("email", "mail", "e-mail")),
        ("don't, the customer's card", ("don't", "customer", "cards")),
        ("ＶＰＮ １２３４", ("vpn", "1234")),
        ("error 0x80070005 (0X8007000E), 0x8D62A115", ("80070005", "0x80070005", "8007000e", "8d62a115")),
        ("order A42988 and A-42989", ("A-42988", "A42988", "A42989")),
        ("Bestellung A‑42988—dringend", ("A-42988", "A–42988", "dringend")),
        ("A-42988…and B-17→C-18", ("A-42988", "B-17", "C-18")),
        ("品番A-42988、B-17。", ("A-42988", "B-17")),
        ("الطلب ٤٢٩٨٨، شكرا", ("42988", "شكرا")),
        ("भुगतान विफल है।", ("भुगतान", "है")),
        ("佐々木さん", ("佐々木",)),
        ("the MAC 00:1A:2B:3C:4D:5E", ("00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e", "001A2B3C4D5E")),
        ("Base64Encoder fails", ("encoder", "base64encoder")),
        ("order 4500123456", ("4500 123 456", "４５００ １２３ ４５６")),
        ('{"order":{"id":"A-42988"},"items":[' + '{"sku":"X"},' * 100 + '{"sku":"Y-77"}]}', ("A-42988", "Y-77")),
    ],
)
def test_an_identifier_is_found_whole_and_by_its_parts(text: str, parts: tuple[str, ...]) -> None:
    """Each part of an identifier, written in any case, is among the terms of its text."""
    for part in parts:
        assert _shared(part, text), part


@pytest.mark.parametrize(
    ("language", "passage", "question"),
    [
        ("en", "connections were refused", "connection refusing"),
        ("de", "Die Rechnungen fehlen", "rechnung"),
        ("fr", "les problèmes de factures", "probleme"),
        ("es", "la configuración falló", "configuracion"),
        ("ru", "не открываются документы", "документ"),
        ("ja", "東京都の請求書", "請求書"),
        ("zh", "无法登录系统", "登录"),
        ("th", "เข้าสู่ระบบไม่ได้", "ระบบ"),
        ("hi", "भुगतान विफल", "भुगतान"),
        ("pl", "zażółć gęślą", "zazolc"),
        (None, "the printers jam", "printer"),
    ],
)
def test_words_are_found_in_their_language(language: str | None, passage: str, question: str) -> None:
    """A question finds other forms of a word, without accents too; scripts without spaces match by pairs."""
    assert _shared(question, passage, language)


def test_a_question_of_another_language_finds_names() -> None:
    """A question whose language is unknown, or another, still finds words as they are written."""
    for language in (None, "de"):
        asked = question_terms("Kubernetes settings", language)
        assert np.intersect1d(asked.indices, passage_terms("Kubernetes settings", "en").indices).size == 2


def test_placeholders_and_common_words_have_no_terms() -> None:
    """Placeholders of redaction and articles have no terms; words in brackets or capitals have."""
    assert passage_terms("[EMAIL] [PHONE], token=[SECRET]").indices.tolist() == [term_id("token")]
    assert passage_terms("it is the").indices.size == 0
    assert passage_terms("IT [ERROR]").indices.size == 2
    assert question_terms("what is it").indices.size == 0


def test_a_term_weighs_as_in_bm25() -> None:
    """A weight grows with the term's frequency, to a bound, and is smaller in a longer passage."""
    once = passage_terms("printer jam").values
    assert once[0] == once[1]
    printer = term_id("printer")

    def weight(text: str) -> float:
        terms = passage_terms(text)
        return float(terms.values[terms.indices.tolist().index(printer)])

    assert weight("printer") < weight("printer printer") < weight("printer " * 30) < 2.2
    assert weight("printer jam") > weight("printer jam " + "paper " * 60)


def test_a_terms_id_never_changes() -> None:
    """Ids are stored in indexes, so they stay the same from version to version."""
    assert term_id("a-42988") == 289_110_737
    assert term_id("printer") == 2_370_599_405


def test_identifiers_are_told_from_plain_words() -> None:
    """Codes, versions, hosts and names are identifiers; words, small numbers, times, dates and prices are not."""
    plain = "My card-holder's follow-up e-mail: 3 days, 10:30, 2024-05-01, $12.50, 5pm, e.g. and/or 24h, two-factor"
    assert identifiers(plain.replace("card-holder", "card holder")) == ()
    assert identifiers("jackson-databind 2.53.18.2 A-42988 ERR_CONN user_id DataNode host.example error 500")[:2] == (
        "jackson-databind",
        "2.53.18.2",
    )
    found = {*identifiers("A-42988 ERR_CONN DataNode host.example error 500 KB5034441 $HOME/.config")}
    assert found >= {"a-42988", "err_conn", "datanode", "host.example", "500", "kb5034441"}
    assert not found & {"error", "config"}
    assert identifiers("4500 123 456の注文")[-2:] == ("4500 123 456", "4500123456")
    assert identifiers("is 001a2b3c4d5e up") == ("001a2b3c4d5e", "00:1a:2b:3c:4d:5e", "00-1a-2b-3c-4d-5e")


@given(st.text(max_size=300))
def test_any_text_has_valid_terms(text: str) -> None:
    """Whatever the text, ids ascend and are unique, and weights are positive and finite."""
    for terms in (passage_terms(text, "de"), question_terms(text, "fr", None)):
        assert (np.diff(terms.indices.astype(np.int64)) > 0).all()
        assert ((terms.values > 0) & (terms.values < 3)).all()
    identifiers(text)


def test_a_huge_word_is_bounded() -> None:
    """A text without spaces has few terms, and takes no time."""
    assert passage_terms("a.b-c/d_" * 100_000).indices.size <= 48
    assert passage_terms("x" * 1_000_000).indices.size == 0
    assert passage_terms("東" * 10_000).indices.size == 1


def test_the_topic_gives_the_same_terms() -> None:
    """Terms are not in `tickets.embedded`: they are made of the payload again, and are the same."""
    (before,) = add_terms([ticket("1", 1, 2, subject="ERR-42", language="de", text="Rechnungen fehlen")])
    assert isinstance(before, TicketPoints)
    message = encode_embedded(before, model="m")
    received = decode_embedded(raw(message.value))
    assert received.points[0].terms is None
    (after,) = add_terms([received])
    assert isinstance(after, TicketPoints)
    for one, other in zip(before.points, after.points, strict=True):
        assert one.terms is not None
        assert other.terms is not None
        assert one.terms.indices.tolist() == other.terms.indices.tolist()
        assert one.terms.values.tolist() == other.terms.values.tolist()
        assert term_id("err-42") in one.terms.indices


def test_the_tables_of_pieces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of ever new words don't fill the memory, and a word has the same terms after its table was emptied."""
    wanted = passage_terms("the printer jams")
    monkeypatch.setattr(module, "_CACHED", 8)
    for number in range(100):
        passage_terms(f"word{number}", "en" if number % 2 else "de")
        assert len(module._passage_ids("en")) + len(module._passage_ids("de")) <= 8
    again = passage_terms("the printer jams")
    assert again.indices.tolist() == wanted.indices.tolist()
    assert again.values.tolist() == wanted.values.tolist()
