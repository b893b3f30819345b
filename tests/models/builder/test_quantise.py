"""Static int8 of any shape, and when it is chosen."""

from pathlib import Path

import numpy as np
import pytest

from models.builder.build import require_artefact
from models.precision import choose, has_vnni
from models.run.encoder import OnnxEmbedder
from models.store.cards import TOKENIZER
from tests.models import tiny

TEXTS = ["the card", "lost", "", "the lost card . " * 4, "abc def ghi", "zebra crossing", "a b c d e f g"]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_model_of_another_shape_is_quantised_too(tmp_path: Path, pooling: str) -> None:
    """Calibrated where it is built: near the float vectors, and bit for bit the same in any batch."""
    card = tiny.make(tmp_path / "weights", pooling=pooling)
    embedders = [
        OnnxEmbedder(
            require_artefact(card, tmp_path / "weights", tmp_path / precision, precision=precision),
            tmp_path / "weights" / TOKENIZER,
            threads=2,
        )
        for precision in ("fp32", "int8")
    ]
    exact, small = (embedder.embed(TEXTS) for embedder in embedders)
    assert (exact * small).sum(1).min() > 0.98
    alone = np.concatenate([embedders[1].embed([text]) for text in TEXTS])
    assert np.array_equal(small, alone)
    assert embedders[0].stamp != embedders[1].stamp


@pytest.mark.parametrize(
    ("flags", "wanted"), [("fpu sse avx2 avx512_vnni", True), ("fpu avx_vnni", True), ("fpu avx2 avx512f", False)]
)
def test_vnni_is_read_from_the_cpus_flags(
    tmp_path: Path, flags: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Linux lists them; a machine that doesn't tell has none."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text(f"model name : x\nflags : {flags}\n")
    assert has_vnni(tmp_path / "cpuinfo") is wanted
    assert not has_vnni(tmp_path / "missing")


def test_a_precision_that_is_named_is_taken() -> None:
    """Whatever the CPU."""
    assert choose("fp32", "cpu") == "fp32"
    assert choose("int8", "cpu") == "int8"
    assert choose("auto", "cpu") == ("int8" if has_vnni() else "fp32")
