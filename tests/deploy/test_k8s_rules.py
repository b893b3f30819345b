"""Every overlay passes every rule, and every mistake is found."""

import pytest

from tests.deploy.k8s.__main__ import main
from tests.deploy.k8s.background_mutants import BACKGROUND_MUTANTS
from tests.deploy.k8s.mutants import MUTANTS, Mutant
from tests.deploy.k8s.numbers import SIZES
from tests.deploy.k8s.rules import RULES, findings
from tests.deploy.k8s.service_mutants import SERVICE_MUTANTS
from tests.deploy.k8s.stack import MANIFESTS, OVERLAYS, partitions, render


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_passes_every_rule(overlay: str) -> None:
    """A rendered overlay agrees with sizes.yaml, topics.yaml, the restricted profile and the worker's settings."""
    assert findings(render(overlay)) == []


_MUTANTS = MUTANTS | SERVICE_MUTANTS | BACKGROUND_MUTANTS


@pytest.mark.parametrize("mutant", _MUTANTS.values(), ids=_MUTANTS)
def test_a_mistake_is_found(mutant: Mutant) -> None:
    """A broken overlay yields the sentence that names the object and the fault."""
    stack = render(mutant.overlay)
    mutant.change(stack)
    found = findings(stack)
    assert any(mutant.said in sentence for sentence in found), found


def test_every_rule_has_a_mutant() -> None:
    """Each rule is broken by at least one mutant."""
    broken = set()
    for mutant in _MUTANTS.values():
        stack = render(mutant.overlay)
        mutant.change(stack)
        broken |= {sentence.partition(":")[0] for sentence in findings(stack) if mutant.said in sentence}
    assert broken == set(RULES)


def test_a_lag_target_is_the_work_of_one_task_in_the_catch_up_time() -> None:
    """The target lag is rate times catch-up time, and the tasks of a role are at most its topic's partitions."""
    for name, role in SIZES["roles"].items():
        assert role["target_lag"] == role["tickets_per_s"] * SIZES["catch_up_s"], name
        assert role["min_tasks"] <= role["max_tasks"] <= partitions()[role["reads"]], name


def test_the_command_checks_any_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """The command reports a valid folder; for one that kustomize can't build it prints one line and exits with 2."""
    render("prod")  # skips if no tool can build it
    assert main([str(MANIFESTS / "overlays" / "prod")]) == 0
    assert "objects without faults" in capsys.readouterr().out
    assert main([str(MANIFESTS / "nowhere")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
