"""Each promise of a training job has a test that fails on a mutant: its source with one fault."""

from typing import Final

import pytest

from core.errors import TicketstreamError
from tests.rigs.mutation import mutant

pytest.importorskip("sklearn")

_LAST_LOOK: Final = "    _require_running(stop)\n    with tempfile"
#: Module of services/encoder/, the code and the fault in its place, and the test that must fail on it.
_MUTANTS: Final = {
    "a label wins over its correction": (
        "training",
        "embedded(TRAIN, FEEDBACK)",
        "embedded(FEEDBACK, TRAIN)",
        "test_a_corrected_label_wins",
    ),
    "an example replaces that of another file": (
        "job",
        'id_prefix=f"{channel}/{number}/"',
        'id_prefix=""',
        "test_examples_of_several_files_all_count",
    ),
    "a job that is stopped goes on": (
        "training",
        "    if stop.is_set():",
        "    if False:",
        "test_a_stopped_job_leaves_no_model",
    ),
    "a job that is stopped at the end leaves a model": (
        "training",
        _LAST_LOOK,
        "    with tempfile",
        "test_a_job_that_is_stopped_while_it_judges_leaves_no_model",
    ),
    "unseen tickets are not judged": (
        "training",
        "if TEST in channels else {}",
        "if False else {}",
        "test_a_job_leaves_a_model_with_its_figures",
    ),
    "hyperparameters are ignored": (
        "job",
        "return msgspec.convert(given, Hyperparameters, strict=False)",
        "return Hyperparameters()",
        "test_hyperparameters_are_strings",
    ),
}


@pytest.mark.parametrize("name", _MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    """The test of each promise fails on its mutant."""
    module, code, fault, test = _MUTANTS[name]
    with (
        mutant("services.encoder", module, code, fault, f"test_training.{test}") as run,
        pytest.raises((AssertionError, TicketstreamError, pytest.fail.Exception)),
    ):
        run()
