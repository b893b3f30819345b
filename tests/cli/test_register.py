"""`ticketstream model register` reports a missing job as one line."""

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli.main import app
from core.errors import EXIT_USAGE


def test_a_missing_job_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the job; without a region it names the variable."""
    arguments = ["model", "register", "nobodys", "--group", "labels"]
    monkeypatch.setenv("COLUMNS", "400")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with mock_aws():
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == EXIT_USAGE
        assert "AWS_REGION: set it to the region of the training job" in result.stderr
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == EXIT_USAGE
    assert "ticketstream: training job nobodys: " in result.stderr
