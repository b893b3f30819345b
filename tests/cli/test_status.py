"""`ticketstream status` shows what it can."""

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from tests.connectors.kafka.topics import new_topic


def test_an_index_that_can_not_be_read_hides_no_lag(tansu: str, tmp_path: Path) -> None:
    """The groups' lag is printed; then comes the error, which is also the fault in JSON, with its exit code."""
    index = tmp_path / "index"
    index.mkdir()
    for name, content in (("lock", ""), ("index.json", "?")):
        (index / name).write_text(content)
    raw = new_topic(tansu, partitions=2)
    environment = {
        "TICKETS_KAFKA__BROKERS": tansu,
        "TICKETS_TOPICS__RAW": raw,
        "TICKETS_INDEX__PATH": str(index),
        "TICKETS_MODEL__NAME": "hashing",
    }
    shown = CliRunner().invoke(app, ["status"], env=environment)
    assert shown.exit_code == 2, shown.exception
    assert f"{raw}, read by group ticketstream" in shown.stdout
    assert "index.json is damaged" in " ".join(shown.stderr.split())
    found = CliRunner().invoke(app, ["status", "--json"], env=environment)
    assert found.exit_code == 2
    status = json.loads(found.stdout)
    assert [row["lag"] for row in status["partitions"]] == [0, 0]
    assert "index.json is damaged" in status["fault"]
