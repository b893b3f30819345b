"""The contents of a function's zip: the modules that its handler imports, and the libraries that those import."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from msgspec import Struct
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.errors import ConfigError

#: The runtime's Python. AWS ends 3.11 in 2027; Lambda has run 3.13 since 2024, and every locked library has wheels.
PYTHON: Final = "3.13"


class Spec(Struct, frozen=True):
    """A zip: its module, the AWS services whose descriptions boto3 needs, and the handlers of its functions."""

    module: str
    services: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ("handler",)


FUNCTIONS: Final[Mapping[str, Spec]] = {
    "canary": Spec("lambdas.canary", ("secretsmanager",)),
    "outbox": Spec("lambdas.outbox", ("dynamodb",)),
    "pre_token": Spec("lambdas.pre_token"),
    "responses": Spec("lambdas.responses"),
    "rotation": Spec("lambdas.rotation", ("secretsmanager", "ecs", "elasticache")),
    "tickets": Spec("lambdas.tickets", ("dynamodb",)),
    "transformation": Spec("lambdas.transformation", ("s3",)),
    "workflow": Spec(
        "lambdas.workflow.functions",
        ("dynamodb", "secretsmanager", "stepfunctions"),
        ("start", "classify", "find", "answer", "decide"),
    ),
}


def first_party(root: Path, module: str) -> tuple[set[Path], set[str]]:
    """Follow the imports of `module`, those inside functions included.

    Returns:
        The files below `root`, and the top-level names of everything else that is imported.
    """
    files: set[Path] = set()
    outside: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        top = name.partition(".")[0]
        if not (root / top / "__init__.py").is_file():
            if top not in sys.stdlib_module_names:
                outside.add(top)
            continue
        for path in _files_of(root, name):
            if path not in files:
                files.add(path)
                left += _imports(path)
    return files, outside


def _files_of(root: Path, name: str) -> Iterator[Path]:
    """The files of the packages that hold `name`, and its own. The end of `name` need not be a module."""
    place = root
    for part in name.split("."):
        place /= part
        if (place / "__init__.py").is_file():
            yield place / "__init__.py"
        elif place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")


def _imports(path: Path) -> Iterator[str]:
    unvisited: list[ast.AST] = [ast.parse(path.read_bytes())]
    while unvisited:
        node = unvisited.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            unvisited += node.orelse
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            unvisited += ast.iter_child_nodes(node)


class Libraries:
    """The libraries installed in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found = {_name(one): one for one in distributions(path=[str(folder)])}
        self._owners: dict[str, set[str]] = {}
        for name, one in self._found.items():
            for path in one.files or ():
                top = path.parts[0]
                if not top.endswith((".dist-info", ".libs")) and top != "..":
                    self._owners.setdefault(top.partition(".")[0], set()).add(name)

    def closure(self, modules: Iterable[str]) -> list[Distribution]:
        """The libraries that have these modules, and those that they need.

        Raises:
            ConfigError: a module belongs to none.
        """
        wanted: set[str] = set()
        left: list[tuple[str, frozenset[str]]] = []
        for module in sorted(modules):
            if module not in self._owners:
                raise ConfigError(f"{module} is imported, but no library of requirements/lambda.txt has it")
            left += [(owner, frozenset()) for owner in self._owners[module]]
        seen: set[tuple[str, frozenset[str]]] = set()
        while left:
            name, extras = left.pop()
            if name not in self._found or (name, extras) in seen:
                continue
            seen.add((name, extras))
            wanted.add(name)
            for line in self._found[name].requires or ():
                need = Requirement(line)
                if need.marker is None or any(need.marker.evaluate(_ENVIRONMENT | {"extra": e}) for e in {"", *extras}):
                    left.append((canonicalize_name(need.name), frozenset(need.extras)))
        return [self._found[name] for name in sorted(wanted)]

    def files(self, library: Distribution) -> Iterator[Path]:
        """The files of a library, relative to the folder, without those that installing it made."""
        for path in library.files or ():
            if ".." not in path.parts and path.name not in _INSTALLED and path.suffix not in _NOT_SHIPPED:
                yield Path(*path.parts)


_ENVIRONMENT: Final = {
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "platform_machine": "x86_64",
}
_INSTALLED: Final = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"})
_NOT_SHIPPED: Final = frozenset({".pyc", ".pyi", ".c", ".h", ".pyx"})


def _name(library: Distribution) -> str:
    return canonicalize_name(library.metadata["Name"])


def needed(path: Path, services: Iterable[str]) -> bool:
    """Whether a library's file is needed: botocore describes 400 services, of which a function calls a few."""
    parts = path.parts
    if parts[0] == "boto3":
        return "examples" not in parts and (len(parts) < 3 or parts[1] != "data" or parts[2] in services)  # noqa: PLR2004
    if parts[:2] != ("botocore", "data") or len(parts) == 3:  # noqa: PLR2004 - a file beside the services
        return True
    return parts[2] in services and path.name != "examples-1.json"
