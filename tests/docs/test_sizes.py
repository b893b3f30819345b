"""The sizes of modules and functions stay within the bounds of CONTRIBUTING.md."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_MODULE: Final = 300
_FUNCTION: Final = 40


def test_no_module_is_long() -> None:
    """A module has at most 300 lines."""
    lengths = {str(file.relative_to(_ROOT)): len(file.read_text().splitlines()) for file in _modules()}
    assert not {name: length for name, length in lengths.items() if length > _MODULE}


def test_no_function_is_long() -> None:
    """A function has at most 40 lines below its signature and docstring. The options of a command are its signature."""
    found = {
        f"{file.relative_to(_ROOT)}: {function.name}": length
        for file in _modules()
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and (length := _length(function)) > _FUNCTION
    }
    assert not found


def _modules() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=_ROOT, capture_output=True, text=True, check=True)
    yield from (_ROOT / name for name in listed.stdout.splitlines() if (_ROOT / name).exists())


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
