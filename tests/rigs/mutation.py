"""Runs a test on a mutant: the source of one module with one fault."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


@contextmanager
def mutant(package: str, module: str, code: str, fault: str, test: str) -> Iterator[Callable[..., None]]:
    """Return `test` (`file.function` in tests/), loaded on fresh modules, one of which has `fault` instead of `code`.

    Calling it runs all its parameters, with `fixtures` by name, each made by a function of its file.
    """
    found, fresh = sys.modules, (f"{package}.", f"tests.{package}.")
    kept = {name: found.pop(name) for name in list(found) if name.startswith(fresh)}
    file, _, function = test.partition(".")
    try:
        _load_with_fault(f"{package}.{module}", code, fault)
        tests = importlib.import_module(f"tests.{package}.{file}")
        yield lambda **fixtures: _run(tests, getattr(tests, function), fixtures)
    finally:
        for name in [name for name in found if name.startswith(fresh)]:
            del found[name]
        for name, loaded in kept.items():
            _register(name, loaded)


def _load_with_fault(name: str, code: str, fault: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text()
    assert source.count(code) == 1, f"{name} has {source.count(code)} times {code!r}"
    loaded = importlib.util.module_from_spec(spec)
    _register(name, loaded)
    exec(compile(source.replace(code, fault), spec.origin, "exec"), loaded.__dict__)


def _register(name: str, loaded: ModuleType) -> None:
    """Make `loaded` the module of that name, for imports and as the attribute of its package."""
    sys.modules[name] = loaded
    package, _, child = name.rpartition(".")
    setattr(sys.modules[package], child, loaded)


def _run(tests: ModuleType, test: Callable[..., None], fixtures: Mapping[str, str]) -> None:
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if marks:
        names, rows = marks[0].args[:2]
        single = isinstance(names, str) and "," not in names
        for row in rows:
            test(*((row,) if single else row))
    else:
        wanted = inspect.signature(test).parameters
        test(**{name: getattr(tests, maker)() for name, maker in fixtures.items() if name in wanted})
