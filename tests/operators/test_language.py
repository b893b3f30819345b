"""Which language, or none."""

from typing import Any

import pytest

from core.records import EnrichedTicket
from operators.language import LANGUAGES, CompactDetector, detect_language
from synthetic.tickets import events
from tests.operators.samples import message, ticket

DETECTOR = CompactDetector()


def _language(**content: Any) -> str | None:
    (done,) = detect_language([ticket(**content)], detector=DETECTOR)
    assert isinstance(done, EnrichedTicket)
    return None if done.language is None else done.language.value


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I cannot sign in since yesterday, please help", "en"),
        ("Ich kann mich seit gestern nicht mehr anmelden", "de"),
        ("Je ne peux plus me connecter depuis hier", "fr"),
        ("No puedo entrar en mi cuenta desde ayer", "es"),
        ("Da ieri non riesco più ad accedere", "it"),
        ("Sinds gisteren kan ik niet meer inloggen", "nl"),
        ("Od wczoraj nie mogę się zalogować", "pl"),
        ("昨日からログインできません。助けてください", "ja"),
    ],
)
def test_sentences(text: str, language: str) -> None:
    """Short ones too."""
    assert _language(body=text) == language


@pytest.mark.parametrize("text", ["", "ok", "12345", "[EMAIL] [PHONE]", "???", "test"])
def test_too_little_to_tell(text: str) -> None:
    """No label is better than a guess; placeholders are no language."""
    assert _language(body=text) is None


def test_characters_the_detector_refuses_are_no_language() -> None:
    """`clean` removes them; should one get through, the ticket goes on without a label."""
    assert _language(body="I cannot sign in since \x00 yesterday") is None


def test_a_ticket_whose_words_are_in_its_messages_is_read_there() -> None:
    """Chats often begin with an empty body."""
    assert _language(messages=(message("Wo bleibt meine Bestellung, ich warte seit Wochen"),)) == "de"


def test_synthetic_tickets_are_told_apart() -> None:
    """At least 95 of 100 get a language, of those we know."""
    from core.settings import ContractSettings  # noqa: PLC0415 - for this test alone
    from operators.decode import decode  # noqa: PLC0415 - likewise
    from tests.operators.samples import raw  # noqa: PLC0415 - likewise

    records = [raw(e.value, key=e.key) for e in events(300, edits=0, deletes=0, duplicates=0)]
    done = detect_language(decode(records, settings=ContractSettings()), detector=DETECTOR)  # type: ignore[arg-type]
    found = [t.language.value for t in done if isinstance(t, EnrichedTicket) and t.language is not None]
    assert len(found) >= 285
    assert set(found) <= LANGUAGES
