"""A rebuild with the user's questions keeps the old index if the new one finds less."""

from pathlib import Path

import msgspec

from core.contract import DeleteEvent, UpsertEvent, record_key
from maintenance.evaluation.questions import Question, write_questions
from synthetic.tickets import SyntheticRecord
from tests.e2e.terminal import Terminal
from tests.e2e.world import World

_WORDS = ("card stolen", "parcel late", "app crashes", "invoice wrong")


def test_an_index_that_finds_less_does_not_take_over(tansu: str, tmp_path: Path) -> None:
    """After exit code 1 the old index still answers, until the worse one is accepted."""
    world = World(tansu, tmp_path)
    terminal, file = Terminal(world), tmp_path / "questions.jsonl"
    write_questions(
        file, [Question(tenant="acme", question=words, relevant=(f"T-{n}",)) for n, words in enumerate(_WORDS)]
    )
    world.produce(_records(delete=False))
    assert terminal.json("rebuild", "--questions", str(file))["gains"] == {}, "there is no old index"
    world.produce(_records(delete=True))

    terminal.run("rebuild", "--questions", str(file), code=1)
    assert terminal.json("search", "--tenant", "acme", _WORDS[0])["hits"][0]["ticket_id"] == "T-0"

    gains = terminal.json("rebuild", "--questions", str(file), "--accept-worse")["gains"]
    assert gains["mrr@10"]["value"] == -1
    assert terminal.json("search", "--tenant", "acme", _WORDS[0])["hits"] == []


def _records(*, delete: bool) -> list[SyntheticRecord]:
    found = []
    for number, words in enumerate(_WORDS):
        ticket_id = f"T-{number}"
        event: UpsertEvent | DeleteEvent
        if delete:
            event = DeleteEvent(tenant_id="acme", ticket_id=ticket_id, version=2)
        else:
            event = UpsertEvent(
                tenant_id="acme", ticket_id=ticket_id, version=1, created_at=0, updated_at=0, subject=words
            )
        found.append(SyntheticRecord(record_key("acme", ticket_id), msgspec.json.encode(event), "create"))
    return found
