"""`ticketstream tickets` creates, shows, changes and deletes tickets through the real ticket API."""

import json
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.rigs.asgi import serving
from tests.services.tickets.apps import open_api

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs a command: exit code, standard output, and standard error as one line."""
    with open_api(tmp_path_factory.mktemp("api")) as api, serving(api.app) as url:

        def run(*arguments: str, caller: str = "acme/jane/operator", **options: str) -> tuple[int, str, str]:
            environment = {
                "TICKETS_CLIENT__TICKETS_URL": url,
                "TICKETS_CLIENT__TOKEN": caller,
                "COLUMNS": "300",
            }
            result = CliRunner().invoke(app, ["tickets", *arguments], env=environment, **options)  # type: ignore[arg-type]
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
            return result.exit_code, result.stdout, " ".join(result.stderr.split())

        yield run


def test_a_ticket_lives_from_creation_to_deletion(run: Run) -> None:
    """Each change prints one line with the version, and `show` prints the changed fields."""
    given = ("--id", "T-1", "--subject", "Wrong VAT", "--body", "Old rate.", "--customer", "C-7", "--tag", "vip")
    assert run("create", *given) == (0, "created T-1, version 1\n", "")
    assert (
        run("comment", "T-1", "Looks like a bug.", "--internal", "--if-version", "1")[1] == "updated T-1, version 2\n"
    )
    assert run("close", "T-1", "--resolution", "Press Recalculate.")[1] == "closed T-1, version 3\n"
    shown = run("get", "T-1")[1]
    assert shown.startswith("T-1  Wrong VAT\nclosed · other · C-7 · vip · version 3 of 2026-01-05 08:00\n\nOld rate.\n")
    assert "agent, 2026-01-05 08:00, internal note\nLooks like a bug.\n" in shown
    assert shown.endswith("agent, 2026-01-05 08:00\nPress Recalculate.\n")
    assert json.loads(run("get", "T-1", "--json")[1])["messages"][0]["public"] is False
    assert run("delete", "T-1", "--yes") == (0, "deleted T-1\n", "")
    assert run("get", "T-1")[0] == 2


def test_a_list_is_paged(run: Run) -> None:
    """A list says how to show its next page, and contains only the tenant's tickets."""
    for number in range(3):
        assert run("create", "--subject", f"S{number}", "--status", "pending")[0] == 0
    _, first, _ = run("list", "--limit", "2", "--status", "pending")
    cursor = first.split("--cursor ")[1].strip()
    _, second, _ = run("list", "--limit", "2", "--status", "pending", "--cursor", cursor)
    assert {f"S{number}" for number in range(3) if f"S{number}" in first + second} == {"S0", "S1", "S2"}
    assert "--cursor" not in second
    assert len(json.loads(run("list", "--status", "pending", "--json")[1])["tickets"]) == 3
    assert run("list", caller="globex/joe/agent") == (0, "no tickets\n", "")


def test_a_repeated_command_creates_one_ticket(run: Run) -> None:
    """A second command with the same idempotency key creates nothing and shows the first one's ticket."""
    first = run("create", "--subject", "Once", "--key", "k-1", caller="once/jane/agent")
    assert run("create", "--subject", "Once", "--key", "k-1", caller="once/jane/agent") == first
    assert len(json.loads(run("list", "--json", caller="once/jane/agent")[1])["tickets"]) == 1


def test_nothing_is_deleted_without_a_yes(run: Run) -> None:
    """`delete` asks for confirmation, and no answer counts as no."""
    run("create", "--id", "T-2", "--subject", "Keep")
    assert run("delete", "T-2", input="n\n")[0] == 1
    assert run("get", "T-2")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "caller", "words"),
    [
        (("get", "T-404"), "acme/jane/agent", "The tenant has no ticket of this id"),
        (("get", "T-9"), "globex/joe/agent", "The tenant has no ticket of this id"),
        (("close", "T-9", "--if-version", "7"), "acme/jane/agent", "The ticket"),
        (("delete", "T-9", "--yes"), "acme/jane/agent", "needs one of the roles operator"),
        (("create", "--subject", " "), "acme/jane/agent", "the ticket is empty"),
        (("create", "--subject", "x", "--channel", "y" * 65), "acme/jane/agent", "channel: "),
        (
            ("create", "--subject", "x", "--key", "ü"),
            "acme/jane/agent",
            "an idempotency key may only have visible ASCII",
        ),
        (("list", "--cursor", "no"), "acme/jane/agent", "cursor: Use the value of `next`"),
        (("list", "--status", "\udcff"), "acme/jane/agent", "text that is not Unicode"),
        (("get", "\udcff"), "acme/jane/agent", "the ticket API: "),
        (("list",), "nobody", "does not accept the access token"),
    ],
)
def test_a_mistake_is_one_line_with_exit_2(run: Run, arguments: tuple[str, ...], caller: str, words: str) -> None:
    """A mistake exits with 2 and a line that names the field or the setting."""
    run("create", "--id", "T-9", "--subject", "Here")
    code, _, line = run(*arguments, caller=caller)
    assert (code, words in line) == (2, True), line
