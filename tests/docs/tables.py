"""The parts of docs/ that are made from the code. `python -m tests.docs.tables` writes them anew."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from core import contract, errors, wire
from core.environment import variables
from core.metrics import METRICS
from core.settings import default_cache, default_data

_ROOT: Final = Path(__file__).parents[2]
DOCS: Final = _ROOT / "docs"
SIZES: Final = _ROOT / "deploy" / "sizes.yaml"


#: What a record's value may be, topic by topic.
SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "contract.schema.json": contract.json_schema,
    "enriched.schema.json": partial(wire.json_schema, "enriched"),
    "embedded.schema.json": partial(wire.json_schema, "embedded"),
}


def settings_table() -> str:
    """Every variable, its default and its meaning."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, (default, description) in variables().items():
        rows.append(f"| `{name}` | {_shown(default)} | {description} |")
    return "\n".join(rows)


def metrics_table() -> str:
    """Every metric, its kind, labels and meaning."""
    rows = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    for name, metric in METRICS.items():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(rows)


def exit_codes_table() -> str:
    """Every exit code with the error class that carries it."""
    meanings = {
        errors.EXIT_OK: "done; after SIGTERM: drained and committed",
        errors.EXIT_FAULT: "a fault no retry mends, uncommitted; or `reconcile` found log and index to differ",
        errors.EXIT_USAGE: "a setting, argument or file is wrong; the line says which, and what to do",
        errors.EXIT_UNAVAILABLE: "broker, topic, index or model weights can't be had",
    }
    return "\n".join(["| code | meaning |", "|---|---|", *(f"| {code} | {text} |" for code, text in meanings.items())])


def sizes_table() -> str:
    """Every role of deploy/sizes.yaml, with its scaling formula filled in."""
    sizes = yaml.safe_load(SIZES.read_text())
    rows = [
        "| role | reads | group | port | tickets/s of a task | target lag of a task | tasks |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, role in sizes["roles"].items():
        rate, seconds = role["tickets_per_s"], sizes["catch_up_s"]
        rows.append(
            f"| {name} | `{role['reads']}` | `{role['group']}` | {role['port']} | {rate:,} | {rate:,} × {seconds} = "
            f"{role['target_lag']:,} | {role['min_tasks']} to {role['max_tasks']} |"
        )
    return "\n".join(rows)


#: What is made from the code in which page, by the part's name.
PARTS: Final[dict[str, dict[str, Callable[[], str]]]] = {
    "operations.md": {"settings": settings_table, "metrics": metrics_table, "exit codes": exit_codes_table},
    "deploy.md": {"sizes": sizes_table},
}


def rendered(page: str) -> str:
    """A page of docs/ with each generated part as the code has it now."""
    text = (DOCS / page).read_text()
    for name, table in PARTS[page].items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n?<!-- end -->)", re.DOTALL)
        assert pattern.search(text), f"{page} has no part named {name}"
        content = table()
        text = pattern.sub(lambda found, content=content: found[1] + content + "\n<!-- end -->", text)  # type: ignore[misc]
    return text


def _shown(default: str) -> str:
    home = {str(default_cache()): "~/.cache/ticketstream", str(default_data()): "~/.local/share/ticketstream"}
    for path, short in home.items():
        default = default.replace(path, short)
    return f"`{default}`" if default else "none"


if __name__ == "__main__":
    for page in PARTS:
        (DOCS / page).write_text(rendered(page))
    for name, schema in SCHEMAS.items():
        (DOCS / name).write_text(json.dumps(schema(), indent=2) + "\n")
