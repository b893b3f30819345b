"""A mutant takes the place of its module and leaves no trace."""

import importlib

import stream
from stream import writer
from tests.rigs.mutation import mutant


def test_the_package_has_its_own_module_again() -> None:
    """An import and the package's attribute both give the mutant while it is loaded, then the module from before."""
    with mutant("stream", "writer", "_CLOSE_S: Final = 3.0", "_CLOSE_S: Final = 4.0", "test_writer_stops.BAD"):
        assert importlib.import_module("stream.writer")._CLOSE_S == 4.0
        assert stream.writer._CLOSE_S == 4.0
    assert importlib.import_module("stream.writer") is writer
    assert stream.writer is writer
