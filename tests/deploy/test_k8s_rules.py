"""Every overlay keeps every rule, and every mistake is told of."""

import pytest

from tests.deploy.k8s.__main__ import main
from tests.deploy.k8s.mutants import MUTANTS, Mutant
from tests.deploy.k8s.numbers import SIZES
from tests.deploy.k8s.rules import RULES, findings
from tests.deploy.k8s.stack import MANIFESTS, OVERLAYS, partitions, render


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_keeps_every_rule(overlay: str) -> None:
    """As kustomize builds it, against sizes.yaml, topics.yaml, the restricted profile and the worker's own settings."""
    assert findings(render(overlay)) == []


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_mistake_is_told_of(mutant: Mutant) -> None:
    """In a sentence that names the object and what is wrong with it."""
    stack = render(mutant.overlay)
    mutant.change(stack)
    found = findings(stack)
    assert any(mutant.said in sentence for sentence in found), found


def test_every_rule_has_a_mutant() -> None:
    """A rule that no mistake breaks would prove nothing."""
    broken = set()
    for mutant in MUTANTS.values():
        stack = render(mutant.overlay)
        mutant.change(stack)
        broken |= {sentence.partition(":")[0] for sentence in findings(stack) if mutant.said in sentence}
    assert broken == set(RULES)


def test_a_lag_target_is_what_a_task_does_in_the_time_to_catch_up() -> None:
    """And no role may have more tasks than its topic has partitions."""
    for name, role in SIZES["roles"].items():
        assert role["target_lag"] == role["tickets_per_s"] * SIZES["catch_up_s"], name
        assert role["min_tasks"] <= role["max_tasks"] <= partitions()[role["reads"]], name


def test_a_folder_of_ones_own_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for one that is sound, one line and 2 for what kustomize can't build."""
    render("prod")  # skips where nothing can build it
    assert main([str(MANIFESTS / "overlays" / "prod")]) == 0
    assert "nothing to say against them" in capsys.readouterr().out
    assert main([str(MANIFESTS / "nowhere")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
