"""The table of sizes in the document on Kubernetes. `python -m tests.deploy.k8s.table` writes it anew."""

import re
from pathlib import Path
from typing import Final

from tests.deploy.k8s.numbers import SIZES
from tests.deploy.k8s.stack import ROOT, partitions

_PART: Final = re.compile(r"(<!-- kubernetes sizes -->\n).*?(<!-- end -->)", re.DOTALL)


def document() -> Path:
    """The one document that has the table."""
    (found,) = [path for path in sorted((ROOT / "docs").glob("*.md")) if _PART.search(path.read_text())]
    return found


def rendered(text: str) -> str:
    """`text` with the table as sizes.yaml has it now."""
    return _PART.sub(lambda found: f"{found[1]}{_table()}\n{found[2]}", text)


def _table() -> str:
    task, seconds = SIZES["task"], SIZES["catch_up_s"]
    rows = [
        "| role | reads | group | port | tickets/s of one task | lag per task | least | most |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, role in SIZES["roles"].items():
        most = f"{role['max_tasks']} of {partitions()[role['reads']]} partitions"
        lag = f"{role['tickets_per_s']:,} × {seconds} = {role['target_lag']:,}"
        cells = (f"`{name}`", f"`{role['reads']}`", f"`{role['group']}`", role["port"],
                 f"{role['tickets_per_s']:,}", lag, role["min_tasks"], most)  # fmt: skip
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    each = f"A task has {task['vcpu']} vCPU and {task['memory_mib']:,} MiB, and {SIZES['stop_timeout_s']} s to stop."
    return "\n".join([*rows, "", each])


if __name__ == "__main__":
    document().write_text(rendered(document().read_text()))
