"""`ticketstream ask` prints sentences as they arrive, with their sources, and mistakes in one line."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.web.fake_rag import CAUSE, FIX, FakeServices, serve, token


@pytest.fixture(scope="module")
def services() -> Iterator[FakeServices]:
    with serve() as running:
        yield running


def _run(services: FakeServices, *arguments: str, access_token: str | None = None) -> tuple[int, str, str]:
    """Exit code, standard output, and standard error as one line."""
    environment = {
        "TICKETS_CLIENT__RAG_URL": services.url,
        "TICKETS_CLIENT__TOKEN": token() if access_token is None else access_token,
        "COLUMNS": "300",
    }
    result = CliRunner().invoke(app, ["ask", *arguments], env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def test_an_answer_is_printed_with_its_sources(services: FakeServices) -> None:
    """Each sentence ends with the numbers of its sources, which are listed below."""
    code, printed, warned = _run(services, "why is the VAT wrong?", "--ticket", "T-7", "--limit", "3")
    assert (code, warned) == (0, "")
    lines = printed.splitlines()
    assert lines[:3] == [f"{CAUSE} [1]", f"{FIX} [1][2]", ""]
    assert lines[3] == "[1] T-1042  Wrong VAT on the invoice after a plan change"
    assert lines[4] == "    message 3, 2026-09-21, solved the ticket, in the language of the question"
    assert "T-0031" not in printed  # it is not cited
    assert services.asked("/answers")[-1] == {"question": "why is the VAT wrong?", "ticket_id": "T-7", "limit": 3}


def test_json_is_the_services_document(services: FakeServices) -> None:
    """`--json` prints one document with sentences, citations and sources."""
    code, printed, _ = _run(services, "VAT", "--json")
    document = json.loads(printed)
    assert code == 0
    assert [sentence["text"] for sentence in document["sentences"]] == [CAUSE, FIX]
    assert document["outcome"] == "answered"


def test_a_refusal_and_a_degraded_answer_say_so(services: FakeServices) -> None:
    """A refusal is a line with its reason, and the nearest tickets; a degraded answer has a warning."""
    assert _run(services, "nothing") == (0, "no answer: No solved ticket of yours is about this.\n", "")
    code, printed, warned = _run(services, "unsupported")
    assert (code, warned) == (0, "")
    assert printed.splitlines() == [
        "no answer: The sentences that passed the check are about other tickets.",
        "",
        "nearest ticket:",
        "    T-1042  Wrong VAT on the invoice after a plan change",
        "    message 3, 2026-09-21, solved the ticket, in the language of the question",
    ]
    code, printed, warned = _run(services, "degraded")
    assert code == 0
    assert CAUSE in printed
    assert warned.startswith("warning: extractive wrote this answer, because claude did not answer in time")


@pytest.mark.parametrize(
    ("question", "exit_code", "words"),
    [
        (" ", 2, "the question is empty"),
        ("cut", 3, "the answer was cut off, so don't rely on what is shown; ask again"),
        ("busy", 3, "Too many questions are being answered; try again in 2 s"),
        ("expired", 2, "The token has expired; set TICKETS_CLIENT__TOKEN"),
        ("broken", 1, "The service failed; its log has more (request req-7)"),
        ("\udcff", 0, ""),
    ],
)
def test_a_mistake_or_an_outage_is_one_line(services: FakeServices, question: str, exit_code: int, words: str) -> None:
    """A mistake or an outage is one line on stderr, and the exit code tells which it was."""
    code, _, line = _run(services, question)
    assert (code, words in line) == (exit_code, True), line


def test_a_missing_token_is_exit_2(services: FakeServices) -> None:
    """A missing token exits with 2 and a line that names the settings."""
    code, _, line = _run(services, "why?", access_token="")
    assert code == 2
    assert "TICKETS_CLIENT__TOKEN or TICKETS_CLIENT__TOKEN_FILE" in line


def test_what_a_ticket_says_never_controls_the_terminal(services: FakeServices) -> None:
    """Control characters of a service's answer are shown, not obeyed."""
    _, printed, _ = _run(services, "escape")
    assert "\x1b" not in printed
    assert "␛[2J" in printed
