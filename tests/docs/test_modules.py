"""Each Terraform module has a README whose tables are those of its files."""

from pathlib import Path
from typing import Final

import pytest

from tests.docs.modules import MODULES, OWN_ARGUMENTS, example, inputs, modules, outputs, rendered

_INDEX: Final = MODULES.parent / "README.md"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_the_tables_are_those_of_the_files(module: Path) -> None:
    """The tables of inputs and outputs are those of the .tf files; `make docs` writes them."""
    assert (module / "README.md").exists(), f"write {module.name}/README.md as its neighbours are, then run `make docs`"
    assert (module / "README.md").read_text() == rendered(module)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_every_input_and_output_is_described(module: Path) -> None:
    """No input or output is without a description that ends as a sentence."""
    assert [each.name for each in inputs(module) + outputs(module) if not each.description.endswith(".")] == []


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_the_example_gives_what_is_required(module: Path) -> None:
    """The README's example has every required input, and none that the module doesn't have."""
    given = example((module / "README.md").read_text())
    known = {each.name for each in inputs(module)}
    required = {each.name for each in inputs(module) if each.default is None}
    assert required <= given
    assert given - OWN_ARGUMENTS <= known


def test_the_list_of_modules_is_complete() -> None:
    """The table of deploy/terraform/README.md links every module."""
    text = _INDEX.read_text()
    assert [module.name for module in modules() if f"(modules/{module.name})" not in text] == []


def test_an_expression_of_several_lines_is_shown_on_one(tmp_path: Path) -> None:
    """Types and defaults of several lines, and descriptions with quotes, fit into a table."""
    (tmp_path / "variables.tf").write_text(
        'variable "one" {\n  description = <<-TEXT\n    Two\n    lines.\n  TEXT\n  type = object({\n    a   = string\n'
        "    b = optional(list(string), [])\n    c = object({\n      d = number\n    })\n  })\n"
        '  default = {\n    a = "x"\n  }\n}\n\n'
        'variable "two" {\n  description = "Says \\"no\\"."\n  type        = number\n}\n'
    )
    two, one = inputs(tmp_path)
    assert (one.description, one.default) == ("Two lines.", '{ a = "x" }')
    assert one.type == "object({ a = string, b = optional(list(string), []), c = object({ d = number }) })"
    assert (two.description, two.default) == ('Says "no".', None)
