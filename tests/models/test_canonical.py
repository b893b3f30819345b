"""The default model gives the vectors recorded in canonical.json. Skipped without its weights."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import UnavailableError
from core.model_settings import ModelSettings
from core.protocols import Embedder
from models.builder.bert import read_shape, read_tensors
from models.builder.calibrate import calibrate, calibration_texts, find_calibration
from models.open import describe, load_embedder
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS, find_card

CANONICAL = Path(__file__).with_name("canonical.json")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """all-MiniLM-L6-v2, from the user's cache or downloaded."""
    try:
        return load_embedder(ModelSettings(precision="fp32"))
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no weights: {error}")


def test_vectors_are_the_published_models(embedder: Embedder) -> None:
    """Vectors match the original implementation's, in their first values and in the cosines between texts."""
    stored = json.loads(CANONICAL.read_text())
    found = embedder.embed(stored["texts"])
    np.testing.assert_allclose(found[:, :8], stored["first_values"], atol=2e-4)
    np.testing.assert_allclose(found @ found.T, stored["cosines"], atol=1e-3)


def test_texts_of_similar_meaning_have_similar_vectors(embedder: Embedder) -> None:
    """A question is nearer to its answer than to a text that shares more words with it."""
    question, answer, other = embedder.embed(
        ["I can't sign in", "the password is refused at the login page", "I can't find the sign at the inn"]
    )
    assert question @ answer > question @ other


def test_the_description_is_that_of_the_loaded_model(embedder: Embedder) -> None:
    """`ticketstream model show` prints the loaded model's stamp and sizes."""
    described = describe(ModelSettings(precision="fp32"))
    assert described.ready
    assert (described.stamp, described.dimension) == (embedder.stamp, 384)
    assert (described.max_tokens, embedder.max_tokens) == (254, 254)


def test_int8_is_close_to_fp32_and_independent_of_the_batch(embedder: Embedder) -> None:
    """The cosine to fp32 is above 0.99 for each text and 0.997 on average, and batching changes no bit."""
    small = load_embedder(ModelSettings(precision="int8"))
    texts = [text for text in (*json.loads(CANONICAL.read_text())["texts"], *calibration_texts()[::40]) if text]
    found = small.embed(texts)
    cosines = (found * embedder.embed(texts)).sum(1)
    assert cosines.mean() > 0.997
    assert cosines.min() > 0.99
    alone = np.concatenate([small.embed([text]) for text in texts])
    assert np.array_equal(found, alone)
    assert small.stamp != embedder.stamp


def test_the_shipped_ranges_are_those_of_the_weights(embedder: Embedder) -> None:
    """Calibration on a few of the texts stays within the shipped ranges, which were measured on all."""
    assert embedder.dimension == 384
    card = find_card("all-MiniLM-L6-v2")
    weights = ModelSettings().cache_dir / "models" / card.name / "weights"
    shipped = find_calibration(card)
    assert shipped is not None
    tensors = read_tensors(weights / WEIGHTS)
    again = calibrate(card, read_shape(weights / CONFIG), tensors, weights / TOKENIZER, texts=calibration_texts()[::60])
    assert set(again) == set(shipped)
    for group in (name for name in shipped if name.startswith("output")):  # tensors without per-channel ranges
        assert shipped[group].least - 1e-4 <= again[group].least
        assert again[group].greatest <= shipped[group].greatest + 1e-4
        assert again[group].greatest > 0.4 * shipped[group].greatest
