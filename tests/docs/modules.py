"""The READMEs of the Terraform modules. `python -m tests.docs.modules` writes their tables again."""

import re
from pathlib import Path
from typing import Final

from msgspec import Struct

MODULES: Final = Path(__file__).parents[2] / "deploy" / "terraform" / "modules"
#: Arguments of a module block that are Terraform's own.
OWN_ARGUMENTS: Final = frozenset({"source", "count", "for_each", "depends_on", "providers"})
_BLOCK: Final = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_EXAMPLE: Final = re.compile(r'^```hcl\nmodule "\w+" \{\n(.*?)^\}\n```$', re.MULTILINE | re.DOTALL)
_ARGUMENT: Final = re.compile(r"^  (\w+)\s+= ", re.MULTILINE)
_OPEN: Final = "([{"
_CLOSE: Final = ")]}"


class Entry(Struct, frozen=True):
    """An input or output of a module; a `default` of None means that the input is required."""

    name: str
    description: str
    type: str = ""
    default: str | None = None


def modules() -> list[Path]:
    """The folders of all modules."""
    return sorted(path for path in MODULES.iterdir() if any(path.glob("*.tf")))


def inputs(module: Path) -> list[Entry]:
    """The variables of a module, required ones first."""
    found = [
        Entry(name, _text(body), _value(body, "type") or "any", _value(body, "default"))
        for name, body in _blocks(module, "variable")
    ]
    return sorted(found, key=lambda entry: (entry.default is not None, entry.name))


def outputs(module: Path) -> list[Entry]:
    """The outputs of a module."""
    return sorted((Entry(name, _text(body)) for name, body in _blocks(module, "output")), key=lambda entry: entry.name)


def example(readme: str) -> set[str]:
    """The arguments of a README's example, or none if it has no example."""
    found = _EXAMPLE.search(readme)
    return set() if found is None else set(_ARGUMENT.findall(found[1]))


def rendered(module: Path) -> str:
    """A module's README with its tables as the files make them now."""
    text = (module / "README.md").read_text()
    tables = {"inputs": _inputs_table(inputs(module)), "outputs": _outputs_table(outputs(module))}
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        assert pattern.search(text), f"{module.name}/README.md has no part <!-- {name} --> ... <!-- end -->"
        text = pattern.sub(lambda found, table=table: f"{found[1]}{table}\n", text)  # type: ignore[misc]
    return text


def _inputs_table(entries: list[Entry]) -> str:
    rows = ["| input | meaning | type | default |", "|---|---|---|---|"]
    rows += [
        f"| `{each.name}` | {each.description} | `{each.type}` | "
        f"{'required' if each.default is None else f'`{each.default}`'} |"
        for each in entries
    ]
    return "\n".join(rows)


def _outputs_table(entries: list[Entry]) -> str:
    if not entries:
        return "None."
    return "\n".join(
        ["| output | meaning |", "|---|---|", *(f"| `{each.name}` | {each.description} |" for each in entries)]
    )


def _blocks(module: Path, kind: str) -> list[tuple[str, str]]:
    text = "\n".join(path.read_text() for path in sorted(module.glob("*.tf")))
    return [(name, body) for found, name, body in _BLOCK.findall(text) if found == kind]


def _text(body: str) -> str:
    """The description, on one line."""
    if heredoc := re.search(r"^  description = <<-(\w+)\n(.*?)^\s*\1$", body, re.MULTILINE | re.DOTALL):
        return " ".join(heredoc[2].split())
    quoted = re.search(r'^  description\s+= "(.*)"$', body, re.MULTILINE)
    return "" if quoted is None else quoted[1].replace('\\"', '"').replace("|", "\\|")


def _value(body: str, name: str) -> str | None:
    """An argument's expression on one line."""
    lines = body.splitlines()
    for start, line in enumerate(lines):
        if (found := re.match(rf"  {name}\s+= (.*)", line)) is None:
            continue
        parts = [found[1]]
        for more in lines[start + 1 :]:
            if _depth(parts) == 0:
                break
            parts.append(re.sub(r"\s+=", " =", more.strip()))
        return _joined(parts)
    return None


def _depth(parts: list[str]) -> int:
    text = "".join(parts)
    return sum(text.count(each) for each in _OPEN) - sum(text.count(each) for each in _CLOSE)


def _joined(parts: list[str]) -> str:
    """The lines of an expression as one line, with commas in place of line ends."""
    text = parts[0]
    for part in parts[1:]:
        if text[-1] in _OPEN or part[0] in _CLOSE:
            text += f" {part}" if "{" in (text[-1], part[0]) or part[0] == "}" else part
        else:
            text = f"{text.removesuffix(',')}, {part}"
    return text


if __name__ == "__main__":
    for folder in modules():
        (folder / "README.md").write_text(rendered(folder))
