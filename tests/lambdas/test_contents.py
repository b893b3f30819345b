"""A zip has the modules that its handler imports, and no others."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from lambdas.build import LOCK, ROOT
from lambdas.contents import FUNCTIONS, Libraries, first_party, needed

#: Libraries that would make a zip too large or a start too slow.
_HEAVY = {"numpy", "onnxruntime", "qdrant_client", "waitress", "uvicorn", "bytewax", "tokenizers", "rich"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_needs_no_heavy_library(name: str) -> None:
    """No function imports libraries of models, the index, the terminal or servers, not even lazily."""
    files, outside = first_party(ROOT, FUNCTIONS[name].module)
    assert not outside & _HEAVY
    assert not [path for path in files if path.relative_to(ROOT).parts[0] in ("models", "dataflows", "cli", "stream")]


def test_the_outbox_has_no_web_framework() -> None:
    """The outbox's zip has neither FastAPI nor the app."""
    files, outside = first_party(ROOT, "lambdas.outbox")
    assert not outside & {"fastapi", "starlette", "mangum", "jwt"}
    assert {"confluent_kafka", "boto3"} <= outside
    assert ROOT / "delivery" / "relay.py" in files


def test_imports_are_followed_and_type_checking_ones_are_not(tmp_path: Path) -> None:
    """Imports inside functions are followed; imports under TYPE_CHECKING aren't."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "__init__.py").write_text("")
    (tmp_path / "ours" / "a.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import unseen\nfrom ours import b\n"
    )
    (tmp_path / "ours" / "b.py").write_text("def f():\n    import lazy.part\n")
    (tmp_path / "ours" / "c.py").write_text("import other\n")
    files, outside = first_party(tmp_path, "ours.a")
    assert {path.name for path in files} == {"__init__.py", "a.py", "b.py"}
    assert outside == {"lazy"}


def install(site: Path, name: str, module: str, *, requires: str = "") -> None:
    """A library with one module."""
    info = site / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{requires}")
    (info / "RECORD").write_text(f"{module}.py,,\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n../bin/{name},,\n")
    (site / f"{module}.py").write_text("x = 1\n")


def test_a_library_brings_those_that_it_needs_on_this_platform(tmp_path: Path) -> None:
    """A library's requirements are included if their markers hold on the runtime and their extras are requested."""
    lines = "Requires-Dist: deep; python_version >= '3.13'\nRequires-Dist: old; python_version < '3.13'\n"
    install(tmp_path, "Top-Lib", "top", requires=lines + "Requires-Dist: extra; extra == 'more'\n")
    for name in ("deep", "old", "extra"):
        install(tmp_path, name, name)
    libraries = Libraries(tmp_path)
    closure = libraries.closure({"top"})
    assert [one.metadata["Name"] for one in closure] == ["deep", "Top-Lib"]
    assert [path.name for path in libraries.files(closure[1])] == ["top.py", "METADATA"]
    with pytest.raises(ConfigError, match="absent is imported"):
        libraries.closure({"absent"})


def test_botocore_describes_the_services_that_are_called() -> None:
    """A zip has botocore's descriptions of called services only, because all of them take 14 MB compressed."""
    assert needed(Path("botocore/data/dynamodb/2012-08-10/service-2.json.gz"), ("dynamodb",))
    assert not needed(Path("botocore/data/ec2/2016-11-15/service-2.json.gz"), ("dynamodb",))
    assert needed(Path("botocore/data/endpoints.json"), ())
    assert needed(Path("botocore/client.py"), ())
    assert not needed(Path("boto3/data/ec2/2016-11-15/resources-1.json"), ("dynamodb",))
    assert needed(Path("boto3/session.py"), ())


def test_the_lock_names_hashes_and_no_address() -> None:
    """The lock pins every library by version and hash, and names no download address."""
    lock = LOCK.read_text()
    assert "://" not in lock
    blocks = [block for block in lock.split("\n") if block and not block.startswith((" ", "#"))]
    assert len(blocks) > 20
    assert all("==" in block and block.endswith("\\") for block in blocks)
