"""In mails of 14 programs and 21 languages only the customer's words are kept."""

from collections import Counter

import pytest

from operators.clean import clean_text
from operators.mail import cut
from synthetic.mails.programs import Mail, mails

_MAILS = tuple(mails())


def _flat(text: str) -> str:
    return " ".join(text.split())


def _shares() -> tuple[float, float, Counter[tuple[str, str]]]:
    """The share of the customers' lines that is kept, that of others' lines, and the faults by program and kind."""
    own = kept = others = left = 0
    faults: Counter[tuple[str, str]] = Counter()
    for mail in _MAILS:
        shown = _flat(clean_text(mail.body))
        found = sum(_flat(line) in shown for line in mail.own)
        foreign = sum(_flat(line) in shown for line in mail.others)
        own, kept, others, left = own + len(mail.own), kept + found, others + len(mail.others), left + foreign
        faults[mail.program, mail.kind] += len(mail.own) - found + foreign
    return kept / own, left / others, faults


def test_the_customers_lines_are_kept_and_others_are_cut() -> None:
    """At least 99 of 100 of the customers' lines are shown, and at most 1 of 100 of other people's."""
    kept, left, faults = _shares()
    print(f"{len(_MAILS)} mails: customers' lines kept {kept:.4f}, others' lines kept {left:.4f}")
    for (program, kind), count in faults.items():
        print(f"  {program:28} {kind:8} {count or 'right'}")
    assert kept >= 0.99
    assert left <= 0.01


@pytest.mark.parametrize("name", ["is_attribution", "header_block", "is_forward_marker"])
def test_a_cutter_that_overlooks_a_sign_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutants without attributions or headers keep history, and one without forward markers loses a forward."""
    blind = {"is_attribution": lambda _line: False, "header_block": lambda _lines, _at: 0}
    monkeypatch.setattr(cut, name, blind.get(name, lambda _line: False))
    kept, left, _faults = _shares()
    assert kept < 0.99 or left > 0.01


@pytest.mark.parametrize("mail", [m for m in _MAILS if m.kind == "reply"][:: len(_MAILS) // 60], ids=str)
def test_no_address_of_the_history_is_shown(mail: Mail) -> None:
    """Header blocks and attributions are cut as a whole."""
    assert "support@example.com" not in clean_text(mail.body)


def test_a_forward_is_told_by_its_subject_where_the_mail_does_not_tell() -> None:
    """A subject that begins with FW: marks a forward, because Outlook's forwards look like its replies."""
    body = next(m.body for m in _MAILS if (m.program, m.language) == ("Outlook, text", "de"))
    assert "Bitte installieren Sie den Treiber neu." not in clean_text(body)
    assert "Bitte installieren Sie den Treiber neu." in clean_text(body, forwarded=True)
