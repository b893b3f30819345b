"""A Lambda handler that fails as its ticket's id says: STEP:ERROR:TIMES. It notes each try in a file."""

import os
from pathlib import Path
from typing import Any

_RESULTS: dict[str, dict[str, Any]] = {
    "classify": {"handled": False, "spam": False, "labels": {"category": None, "priority": None}},
    "find": {"duplicate_of": None, "answerable": True, "nearest": ["S-1"]},
    "answer": {"answered": True, "answer_id": "a1"},
}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The step's usual result, or an exception whose type has the name that is asked for."""
    step = os.environ["STEP"]
    failing, error, times = event["ticket_id"].split(":")
    tries = Path(os.environ["TRIES"]) / f"{event['ticket_id']}.{step}"
    with tries.open("a") as file:
        file.write("x")
    if step == failing and tries.stat().st_size <= int(times):
        raise type(error, (Exception,), {})("on purpose")
    if step != "decide":
        return _RESULTS[step]
    facts = event["facts"]
    return {"decision": "escalate" if facts["failed"] else "draft", "reason": facts["failed"] or "answered"}
