"""Every command has help, and reports a mistake in one line with the right exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.connectors.language_models.clients import aws_environment
from tests.rigs.titan import DENIED, Answer, TitanServer, always

COMMANDS = [
    "demo",
    "topics",
    "produce",
    "search",
    "similar",
    "archive",
    "ask",
    "evaluate",
    "status",
    "reconcile",
    "rebuild",
    "train",
    "compact",
    "backup",
    "restore",
    "mcp",
    "tickets",
    "workflow",
    "feedback",
    "dlq",
    "model",
    "doctor",
]
_DEAD = {"TICKETS_KAFKA__BROKERS": "127.0.0.1:1", "TICKETS_KAFKA__STARTUP_TIMEOUT_S": "0.5"}


def _run(arguments: list[str], **environment: str) -> tuple[int, str]:
    """Exit code, and standard error as one line of text."""
    result = CliRunner().invoke(app, arguments, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.stderr.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """`--help` exits with 0, and `ticketstream --help` lists the command."""
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert command in CliRunner().invoke(app, ["--help"]).stdout


def test_the_list_of_commands_is_complete() -> None:
    """The list of commands in this file is complete, so every command is tested."""
    names = {c.name for c in app.registered_commands} | {g.name for g in app.registered_groups}
    assert names == set(COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ["topics"],
        ["status"],
        ["reconcile"],
        ["rebuild"],
        ["dlq", "list"],
        ["dlq", "replay", "--yes"],
        ["produce", "--synthetic", "1"],
    ],
    ids=" ".join,
)
def test_an_unreachable_broker_is_exit_3(arguments: list[str]) -> None:
    """An unreachable broker exits with 3 and a line with the address and the variable to set."""
    code, line = _run(arguments, **_DEAD)
    assert code == 3
    assert "no broker answers at 127.0.0.1:1" in line
    assert "TICKETS_KAFKA__BROKERS" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["produce"], "nothing to produce"),
        (["produce", "a.jsonl", "--synthetic", "3"], "nothing to produce"),
        (["produce", "/no/such/file.jsonl"], "can't read /no/such/file.jsonl: no such file or directory"),
        (["produce", "{events}", "--map", "a=b"], "--map is for CSV"),
        (["produce", "{csv}", "--map", "body=missing"], "missing"),
        (["produce", "{csv}", "--map", "nonsense"], "nonsense"),
        (["produce", "{csv}", "--zone", "Nowhere"], "--zone Nowhere: no such time zone here"),
        (["produce", "{csv}", "--zone", "../zone"], "--zone ../zone: no such time zone here"),
        (["produce", "{events}", "--rate", "inf"], "it is not a finite number"),
        (["topics", "--replication", "0"], "--replication"),
        (["search", "--tenant", "acme", "  "], "the question is empty"),
        (["search", "--tenant", "acme", "why", "--after", "yesterday"], "--after: 'yesterday' is not a date"),
        (["reconcile", "--delete-surplus", "3"], "--delete-surplus needs --repair"),
        (["dlq", "show", "7"], "'7' is not PARTITION:OFFSET"),
        (["topics", "--file", "/no/such/topics.yaml"], "/no/such/topics.yaml"),
        (["status", "--staged"], "--staged is now called --split"),
        (["reconcile", "--staged"], "--staged is now called --split"),
        (["backup"], "give a folder for the copy"),
        (["restore", "/no/such/folder"], "/no/such/folder holds no complete backup"),
        (["model", "card", "/no/such/folder"], "/no/such/folder has no config.json"),
    ],
)
def test_a_wrong_argument_is_exit_2(tmp_path: Path, arguments: list[str], words: str, tansu: str) -> None:
    """A wrong argument exits with 2 and a line that quotes it."""
    (tmp_path / "events.jsonl").write_text("{}\n")
    (tmp_path / "rows.csv").write_text("id,text\n1,hello\n")
    names = {"events": str(tmp_path / "events.jsonl"), "csv": str(tmp_path / "rows.csv")}
    code, line = _run([a.format(**names) for a in arguments], TICKETS_KAFKA__BROKERS=tansu)
    assert words in line
    assert code == 2


def test_a_misspelt_variable_is_exit_2() -> None:
    """A misspelt variable exits with 2 and a line that suggests the right name."""
    code, line = _run(["status"], TICKETS_KAFKA__BROKER="x")
    assert (code, "did you mean TICKETS_KAFKA__BROKERS?" in line) == (2, True)


def test_doctor_lists_every_setting_and_hides_secrets() -> None:
    """A password from the environment is not printed."""
    result = CliRunner().invoke(
        app, ["doctor", "--settings", "--json"], env={"TICKETS_KAFKA__SASL_PASSWORD": "hunter2"}
    )
    assert result.exit_code == 0
    assert "TICKETS_WRITER__DRAIN_TIMEOUT_S" in result.stdout
    assert "hunter2" not in result.stdout


def test_doctor_exits_with_the_code_of_the_first_fault() -> None:
    """An unreachable broker is one fault with code 3: the checks that need a broker are skipped."""
    result = CliRunner().invoke(app, ["doctor", "--json"], env={**_DEAD, "TICKETS_MODEL__NAME": "hashing"})
    assert result.exit_code == 3
    assert result.stdout.count('"healthy":false') == 1


def test_a_model_is_shown_as_json_with_its_folder(tmp_path: Path) -> None:
    """A model that is not fetched yet is shown with the folder that it will be in."""
    result = CliRunner().invoke(app, ["model", "show", "--json"], env={"TICKETS_MODEL__CACHE_DIR": str(tmp_path)})
    assert result.exit_code == 0, result.exception
    shown = json.loads(result.stdout)
    assert not shown["ready"]
    assert Path(shown["folder"]).is_relative_to(tmp_path)


def test_a_remote_model_has_nothing_to_fetch_or_build() -> None:
    """`model show` and `model fetch` say who runs the model, and `model build` is a mistake."""
    titan = {"TICKETS_MODEL__NAME": "titan-embed-text-v2"}
    for command in ("show", "fetch"):
        result = CliRunner().invoke(app, ["model", command], env=titan)
        assert result.exit_code == 0, result.exception
        assert "Amazon Bedrock runs" in " ".join(result.output.split())
    code, line = _run(["model", "build"], **titan)
    assert (code, "nothing to build" in line) == (2, True)


def test_doctor_calls_a_remote_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`doctor` says that the model answers, or which right is missing."""
    with TitanServer() as server:
        aws_environment(server.url, monkeypatch)
        settings = {"TICKETS_MODEL__NAME": "titan-embed-text-v2", "TICKETS_INDEX__PATH": str(tmp_path / "index")}
        for answer, words in ((Answer(), "Amazon Bedrock answers for titan-embed-text-v2/"), (DENIED, "InvokeModel")):
            server.behave(always(answer))
            result = CliRunner().invoke(app, ["doctor", "--json"], env={**_DEAD, **settings})
            (finding,) = (one for one in json.loads(result.stdout) if one["check"] == "model")
            assert (finding["healthy"], words in finding["detail"]) == (answer is not DENIED, True)
