"""A line counts as a mail program's only if every part of it looks like one."""

import pytest

from operators.mail.lines import (
    header_block,
    is_attribution,
    is_banner,
    is_forward_marker,
    is_original_marker,
    is_reply_above,
    is_sent_from,
    says_forwarded,
)
from operators.mail.words import REPLY_ABOVE


@pytest.mark.parametrize(
    "line",
    [
        "On Mon, Jan 5, 2026, 09:12 Support <s@example.com> wrote:",
        "On Monday, Support wrote:",
        "tors 6 dec. 2018 kl 13:30 skrev Support <help@example.com>:",
        "чт, 6 дек. 2018 г. в 13:30, Support <help@example.com>:",
        "2018年12月6日(木) 13:30 Support <help@example.com>:",
        "-----Support <s@example.com> wrote: -----",
        "*On 5 Jan 2026, Support <s@example.com> wrote:*",
    ],
)
def test_an_attribution_is_known(line: str) -> None:
    """A line with an author and a time that ends in a colon is an attribution."""
    assert is_attribution(line)


@pytest.mark.parametrize(
    "line",
    [
        "On Monday I wrote: please cancel order 4711:",
        "She wrote: it is broken",
        "The log says at 09:12:",
        "On Tuesday we wrote to you about 3 things:",
        "The error that 10.0.0.1 wrote to the log is this one, and it is long:",
        "Steps:",
    ],
)
def test_prose_is_no_attribution(line: str) -> None:
    """A sentence of the customer's that happens to end in a colon stays."""
    assert not is_attribution(line)


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (["From: Support <s@example.com>", "Sent: Monday", "To: Ada", "Subject: RE: x", "", "old"], 4),
        (["*From:* Support", "*Sent:* Monday", "*To:* a@example.com;", "b@example.com", "*Subject:* x", "old"], 5),
        (["Von: Lyon", "Nach: Paris", "Datum: 5. Januar", "Reisende: zwei"], 0),
        (["From: here to there is far"], 0),
        (["Subject: x", "Date: Monday", "From: Ada", "To: Support", "", "text"], 4),
        (["Date: 5 January", "To: the warehouse", "Weight: 5 kg"], 0),
    ],
)
def test_a_header_block_has_three_headers_and_a_sender(lines: list[str], length: int) -> None:
    """Two lines alone that look like headers are the customer's text."""
    assert header_block(lines, 0) == length


@pytest.mark.parametrize(
    ("line", "device"),
    [
        ("Sent from my iPhone", True),
        ("Get Outlook for iOS", True),
        ("Von meinem iPhone gesendet", True),
        ("发自我的iPhone", True),
        ("Sent from my office PC the export works fine.", False),
        ("Was it sent from my phone?", False),
    ],
)
def test_a_device_signs_in_its_own_words(line: str, device: bool) -> None:
    """A line that a program added names a device or program; a sentence doesn't begin so by chance."""
    assert is_sent_from(line) is device


def test_markers_are_lines_of_their_own() -> None:
    """A sentence that mentions a forwarded message is not a marker."""
    assert is_forward_marker("---------- Forwarded message ---------")
    assert is_forward_marker("Begin forwarded message:")
    assert is_forward_marker("----- Forwarded by Ada/Example on 05-01-2026 09:12 -----")
    assert not is_forward_marker("The forwarded message is empty")
    assert is_original_marker("-----Original Message-----")
    assert not is_original_marker("The original message was lost")
    assert is_reply_above("##- Please type your reply above this line -##")
    assert not is_reply_above(
        "I wrote my reply above this line because the form told me to, and it did not work at all"
    )
    assert is_banner("CAUTION: This email originated from outside of the organization. Do not click links.")
    assert not is_banner("Caution is advised when the fan is hot")


@pytest.mark.parametrize(
    ("subject", "forwarded"),
    [
        ("Fwd: Broken", True),
        ("WG: Kaputt", True),
        ("TR : Cassé", True),
        ("RE: Broken", False),
        ("Forwarding fails", False),
    ],
)
def test_a_subject_says_that_a_mail_is_forwarded(subject: str, forwarded: bool) -> None:
    """Only the prefixes of mail programs mark a forward, not the customer's words."""
    assert says_forwarded(subject) is forwarded


@pytest.mark.parametrize("phrase", REPLY_ABOVE)
def test_every_phrase_of_a_helpdesk_is_known(phrase: str) -> None:
    """The fast pre-check accepts a line with each helpdesk phrase."""
    assert is_reply_above(f"--- {phrase} ---")
