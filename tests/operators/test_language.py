"""The language of a ticket is detected, or left out."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from core.records import EnrichedTicket
from core.settings import ContractSettings
from operators import language, words
from operators.clean import clean
from operators.decode import decode
from operators.language import LANGUAGES, CompactDetector, detect_language
from synthetic.tickets import events
from tests.operators.samples import message, raw, ticket

DETECTOR: Final = CompactDetector()
#: Short sentences of support tickets, 21 in each of 28 languages, made up for this test.
SENTENCES: Final = [
    tuple(line.split("\t"))
    for line in Path(__file__).with_name("sentences.tsv").read_text(encoding="utf-8").splitlines()
]

_EN: Final = "Our printer only prints blank pages since yesterday. Can you send somebody today, please?"
_DE: Final = "Guten Tag, unser Drucker druckt seit gestern nur noch leere Seiten. Können Sie bitte jemanden schicken?"
_FR: Final = "Bonjour, notre imprimante ne sort plus que des pages blanches depuis hier. Pouvez-vous nous aider ?"
_PL: Final = "Dzień dobry, drukarka od wczoraj drukuje tylko puste strony. Czy możecie kogoś przysłać?"
_JA: Final = "昨日からプリンターが白紙しか出しません。どなたか来ていただけますか。"
_MAILS: Final = {"de": _DE, "fr": _FR, "pl": _PL, "ja": _JA}


def _language(**content: Any) -> str | None:
    (done,) = detect_language(clean([ticket(**content)]), detector=DETECTOR)  # type: ignore[arg-type]
    assert isinstance(done, EnrichedTicket)
    return None if done.language is None else done.language.value


def _right(of: str | None = None) -> float:
    wanted = [(code, sentence) for code, sentence in SENTENCES if of in {None, code}]
    return sum(_language(body=sentence) == code for code, sentence in wanted) / len(wanted)


def test_short_sentences_of_28_languages_are_detected() -> None:
    """At least 97 % of short sentences get the right language, and at most 2 % a wrong one."""
    found = [(code, _language(body=sentence)) for code, sentence in SENTENCES]
    right = sum(code == told for code, told in found) / len(found)
    wrong = sum(told not in {None, code} for code, told in found) / len(found)
    print(f"{len(found)} sentences: {right:.3f} right, {wrong:.3f} wrong")
    assert right >= 0.97
    assert wrong <= 0.02


@pytest.mark.parametrize("code", sorted({code for code, _ in SENTENCES}))
def test_no_language_is_left_behind(code: str) -> None:
    """At least 80 % of each language's sentences are right, also Chinese ones of four characters."""
    assert _right(code) >= 0.8


class _NoShortTexts:
    """A model that knows no language, in place of py3langid's."""

    def classify(self, _text: str) -> tuple[str, float]:
        return "zxx", 1.0


@pytest.mark.parametrize(
    ("name", "value"),
    [("load_short_texts", _NoShortTexts), ("_MIN_BYTES", 24), ("_MIN_CONFIDENCE", 0.9)],
    ids=["CLD2 alone", "more letters", "more confidence"],
)
def test_a_detector_that_fails_short_sentences_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """CLD2 alone, a higher minimum of letters and a higher confidence each get fewer than 95 % right."""
    monkeypatch.setattr(language, name, value)
    assert _right() < 0.95


@pytest.mark.parametrize(
    "text",
    [
        "", "ok", "test", "12345", "???", "[EMAIL] [PHONE]", "12345 67890 4711 0815 2024-01-05 12:30",
        "ORD-12345-AB SKU-99887 X-1042", "0x7ffe 0xdeadbeef 5d41402abc4b2a76b9719d911017c592", "登录",
    ],
)  # fmt: skip
def test_too_little_text_has_no_language(text: str) -> None:
    """Short texts, numbers, identifiers and placeholders get no language."""
    assert _language(body=text) is None


def test_characters_that_cld2_refuses_give_no_language() -> None:
    """A control character, which `clean` would remove, gives no language instead of an error."""
    (done,) = detect_language([ticket(body="I cannot sign in since \x00 yesterday")], detector=DETECTOR)
    assert isinstance(done, EnrichedTicket)
    assert done.language is None


def test_messages_are_read_without_a_body() -> None:
    """With an empty body the language is detected from the messages."""
    assert _language(messages=(message("Wo bleibt meine Bestellung, ich warte seit Wochen"),)) == "de"


#: Banners that mail gateways add, in their company's language.
BANNERS: Final = (
    (
        "CAUTION: This email originated from outside of the organization. Do not click links or open attachments "
        "unless you recognize the sender and know the content is safe."
    ),
    "[EXTERNAL EMAIL] Exercise caution. Do not open attachments or click links from unknown senders.",
    "WARNING: This message came from an external source. Please be careful when you open attachments or click links.",
    "You don't often get email from ada@example.com. Learn why this is important",
    "This sender is outside of your company. Think before you click any link, and report suspicious messages.",
    (
        "This e-mail and any attachments are confidential and intended solely for the use of the individual to whom "
        "they are addressed. If you are not the intended recipient, please notify the sender."
    ),
)
_FOREIGN_BANNERS: Final = (
    (
        "ACHTUNG: Diese E-Mail stammt von außerhalb der Organisation. Klicken Sie nicht auf Links und öffnen Sie keine "
        "Anhänge, wenn Sie den Absender nicht kennen."
    ),
    (
        "ATTENTION : ce courriel provient de l'extérieur de l'organisation. Ne cliquez pas sur les liens et n'ouvrez "
        "pas les pièces jointes, sauf si vous connaissez l'expéditeur."
    ),
    "PRECAUCIÓN: Este correo electrónico se originó fuera de la organización. No haga clic en enlaces.",
    "ATTENZIONE: questa e-mail proviene dall'esterno dell'organizzazione. Non fare clic sui link.",
    "LET OP: deze e-mail is afkomstig van buiten de organisatie. Klik niet op links en open geen bijlagen.",
    "VARNING: Detta e-postmeddelande kommer från en avsändare utanför organisationen.",
    "ВНИМАНИЕ: это письмо получено от внешнего отправителя. Не переходите по ссылкам.",
    "注意：此邮件来自外部发件人。请勿点击链接或打开附件。",
)


@pytest.mark.parametrize("banner", BANNERS)
@pytest.mark.parametrize("code", _MAILS)
def test_a_banner_does_not_decide(code: str, banner: str) -> None:
    """Above the mail, below it or in its first line, an English banner leaves a mail's language as it is."""
    mail = _MAILS[code]
    for body in (f"{banner}\n\n{mail}", f"{banner} {mail}", f"{mail}\n\n{banner}", f"{mail} {banner}"):
        assert _language(body=body) == code


@pytest.mark.parametrize("banner", _FOREIGN_BANNERS)
def test_a_foreign_banner_does_not_decide(banner: str) -> None:
    """An English mail below a foreign banner is labelled English, or not at all."""
    for body in (f"{banner}\n\n{_EN}", f"{banner} {_EN}", f"{_EN}\n{banner}"):
        assert _language(body=body) in {"en", None}


def test_a_mail_of_few_words_below_a_banner_is_not_in_the_banners_language() -> None:
    """A short mail below a banner with ten times its letters doesn't get the banner's language."""
    for banner in BANNERS:
        assert _language(body=f"{banner}\n\nDer Export geht nicht.") in {"de", None}


#: Output of programs, which is English in every country.
PROGRAMS: Final = {
    "names": "java.lang.NullPointerException at com.example.export.ExportService.run(ExportService.java:42) "
    "at com.example.service.RequestHandler.handle(RequestHandler.java:118) at com.example.Main.main(Main.java:17)",
    "stack trace": "java.lang.IllegalStateException: The connection was closed by the remote host\n"
    "\tat com.example.export.ExportService.run(ExportService.java:42)\n\tat com.example.Main.main(Main.java:17)\n"
    "Caused by: java.net.ConnectException: Connection refused by the remote host\n\t... 12 more",
    "traceback": 'Traceback (most recent call last):\n  File "/srv/app/main.py", line 42, in run\n'
    "    result = export(rows, timeout=30)\nValueError: could not convert string to float: the value is missing",
    "log": "2024-01-05 08:12:33,123 ERROR [main] com.example.Export - Connection refused while opening the file\n"
    "2024-01-05 08:12:34,125 WARN [main] com.example.Export - Retrying the request in a moment, please wait\n" * 3,
    "program": "def export(rows):\n    for row in rows:\n        if row.value is None:\n"
    "            raise ValueError('missing value')\n    return True",
    "query": "SELECT t.id, t.subject FROM tickets AS t INNER JOIN customers AS c ON c.id = t.customer_id "
    "WHERE t.status = 'open' ORDER BY t.created_at",
    "address": "https://support.example.com/hc/en-us/articles/how-to-reset-your-password-and-other-questions",
    "placeholders": "[EMAIL] [PHONE] [CARD] [NAME] [ADDRESS] [PASSWORD] [SECRET] [IBAN]",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_code_and_logs_do_not_decide(program: str) -> None:
    """Two sentences of a customer determine the language, despite a page of a program's output."""
    for code, sentence in (
        ("de", "Der Export bricht immer wieder ab, bitte helfen Sie mir."),
        ("pl", "Eksport się zatrzymuje, proszę o pomoc."),
    ):
        assert _language(body=f"{sentence}\n{PROGRAMS[program]}") == code
        assert _language(body=f"{PROGRAMS[program]}\n{sentence}") == code
        if program in {"names", "address", "placeholders"}:
            assert _language(body=f"{sentence} {PROGRAMS[program]}") == code


def test_the_beginning_of_a_long_ticket_does_not_decide() -> None:
    """A greeting in one language above twenty lines in another doesn't determine the language."""
    greeting = "Hello and good morning to all of you,\nkindest greetings from the south of the country,\n" * 3
    assert _language(body=greeting + f"{_DE}\n" * 20) in {"de", None}
    assert _language(body=f"{_DE} " + f"{_EN} " * 12) == "en"
    assert _language(subject="Printer", body=_DE, messages=(message(_DE, author="customer"),) * 9) == "de"


def test_halves_in_two_languages_give_no_language() -> None:
    """A text of equal parts in two languages gets no language."""
    assert _language(body=f"{_DE} {_EN} {_DE} {_EN}") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("打开 Excel 导出文件时报错 NullPointerException，请问怎么处理？", "zh"),
        ("Chromeでログインできません。Internal Server Error と表示されます。", "ja"),
        (f"{_DE} The error is: File not found.", "de"),
    ],
)
def test_a_few_foreign_words_do_not_decide(text: str, code: str) -> None:
    """English names and messages of programs don't change a sentence's language."""
    assert _language(body=text) == code


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (words, "_may_be_added", lambda _text: False),
        (words, "_sample", lambda text: text[:240]),
        (words, "_CODE_SIGN", re.compile(r"(?!)")),
        (language, "_MAIN_SHARE", 50),
    ],
    ids=["banners count", "the beginning alone", "code counts", "halves count"],
)
def test_a_detection_without_a_rule_is_caught(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: Any
) -> None:
    """Without one of its rules, the detection fails the check of the tests above."""
    monkeypatch.setattr(module, name, value)
    with pytest.raises(AssertionError):
        _check_rules()


def test_the_sound_detection_passes_where_mutants_fail() -> None:
    """The real detection passes the check that the mutants fail."""
    _check_rules()


def _check_rules() -> None:
    test_a_mail_of_few_words_below_a_banner_is_not_in_the_banners_language()
    test_the_beginning_of_a_long_ticket_does_not_decide()
    test_code_and_logs_do_not_decide("query")
    test_code_and_logs_do_not_decide("names")
    test_halves_in_two_languages_give_no_language()


def test_synthetic_tickets_get_a_language() -> None:
    """At least 95 % of synthetic tickets get a language, and only supported ones."""
    records = [raw(e.value, key=e.key) for e in events(300, edits=0, deletes=0, duplicates=0)]
    done = detect_language(decode(records, settings=ContractSettings()), detector=DETECTOR)  # type: ignore[arg-type]
    found = [t.language.value for t in done if isinstance(t, EnrichedTicket) and t.language is not None]
    assert len(found) >= 285
    assert set(found) <= LANGUAGES
