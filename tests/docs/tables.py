"""The generated parts of docs/. `python -m tests.docs.tables` writes them again."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from core import contract, errors
from core.environment import REMOVED, RENAMED, variables
from core.metrics import METRICS
from core.setting_types import default_cache, default_data
from core.wire.embedded import embedded_schema
from core.wire.enriched import enriched_schema
from services.http.problems import KINDS
from tests.services.rag.documents import rag_document
from tests.services.tickets.documents import tickets_document

_ROOT: Final = Path(__file__).parents[2]
DOCS: Final = _ROOT / "docs"
SIZES: Final = _ROOT / "deploy" / "sizes.yaml"
#: The only section of a page that may name old metrics and settings.
RENAMED_SECTION: Final = re.compile(r"^## Renamed in .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


#: JSON schemas of the records' values and OpenAPI documents, by file name.
SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "contract.schema.json": contract.json_schema,
    "enriched.schema.json": enriched_schema,
    "embedded.schema.json": embedded_schema,
    "openapi/rag.json": rag_document,
    "openapi/tickets.json": tickets_document,
}


def settings_table() -> str:
    """Every variable, its default and its meaning."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, (default, description) in variables().items():
        rows.append(f"| `{name}` | {_shown(default)} | {description} |")
    return "\n".join(rows)


def renamed_settings_table() -> str:
    """Every setting of version 0.1 that has another name now, or none."""
    rows = ["| 0.1 | 0.2.0 |", "|---|---|"]
    rows += [f"| `{old}` | `{new}` |" for old, new in RENAMED.items()]
    rows += [f"| `{old}` | removed: {instead} |" for old, instead in REMOVED.items()]
    return "\n".join(rows)


def metrics_table() -> str:
    """Every metric, its kind, labels and meaning."""
    rows = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    for name, metric in METRICS.items():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(rows)


def exit_codes_table() -> str:
    """Every exit code and its meaning."""
    meanings = {
        errors.EXIT_OK: "done; after SIGTERM: drained and committed",
        errors.EXIT_FAULT: "permanent failure, the current batch is not committed; or `reconcile` found differences",
        errors.EXIT_USAGE: "a setting, argument or file is wrong; the message names it and says what to do",
        errors.EXIT_UNAVAILABLE: "broker, topic, index or weights are unavailable, or index and log don't match",
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


def problems_table() -> str:
    """Every kind of problem document, with its status."""
    rows = ["| type `urn:ticketstream:problem:…` | status | title |", "|---|---|---|"]
    rows += [f"| `{kind}` | {status} | {title} |" for kind, (status, title) in KINDS.items()]
    return "\n".join(rows)


#: Generated parts by page and name.
PARTS: Final[dict[str, dict[str, Callable[[], str]]]] = {
    "operations.md": {
        "settings": settings_table,
        "metrics": metrics_table,
        "exit codes": exit_codes_table,
        "renamed settings": renamed_settings_table,
    },
    "api-security.md": {"problems": problems_table},
    "deploy.md": {"sizes": sizes_table},
}


def rendered(page: str) -> str:
    """A page of docs/ with its generated parts as the code makes them now."""
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
