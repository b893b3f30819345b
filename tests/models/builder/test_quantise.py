"""Static int8 quantisation of a model of any shape."""

from pathlib import Path

import numpy as np
import pytest

from models.builder.artefact import find_or_build_artefact
from models.run.encoder import open_onnx_embedder
from models.store.cards import TOKENIZER
from tests.models import tiny

TEXTS = ["the card", "lost", "", "the lost card . " * 4, "abc def ghi", "zebra crossing", "a b c d e f g"]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_model_of_another_shape_is_quantised_too(tmp_path: Path, pooling: str) -> None:
    """A model without shipped ranges is calibrated; its vectors are close to fp32's and bit-identical in any batch."""
    card = tiny.make(tmp_path / "weights", pooling=pooling)
    embedders = [
        open_onnx_embedder(
            find_or_build_artefact(card, tmp_path / "weights", tmp_path / precision, precision=precision),
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
