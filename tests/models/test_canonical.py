"""The real model: vectors that never change, in a file beside this one. Skipped where its weights can't be had."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import UnavailableError
from core.protocols import Embedder
from core.settings import ModelSettings
from models.builder.bert import read_shape, read_tensors
from models.builder.calibrate import calibrate, calibration_texts, find_calibration
from models.open import describe, load_embedder
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS, find_card

CANONICAL = Path(__file__).with_name("canonical.json")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """all-MiniLM-L6-v2, from the user's cache, fetched if need be."""
    try:
        return load_embedder(ModelSettings(precision="fp32"))
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no weights: {error}")


def test_vectors_are_the_published_models(embedder: Embedder) -> None:
    """Cosine above 0.9999 to what the original implementation gives (first values and cosines between texts)."""
    stored = json.loads(CANONICAL.read_text())
    found = embedder.embed(stored["texts"])
    np.testing.assert_allclose(found[:, :8], stored["first_values"], atol=2e-4)
    np.testing.assert_allclose(found @ found.T, stored["cosines"], atol=1e-3)


def test_near_in_meaning_is_near(embedder: Embedder) -> None:
    """A question finds its answer before a text that shares more words with it."""
    question, answer, other = embedder.embed(
        ["I can't sign in", "the password is refused at the login page", "I can't find the sign at the inn"]
    )
    assert question @ answer > question @ other


def test_it_describes_itself(embedder: Embedder) -> None:
    """What `ticketstream model show` prints is what is loaded."""
    described = describe(ModelSettings(precision="fp32"))
    assert described.ready
    assert (described.stamp, described.dimension) == (embedder.stamp, 384)
    assert (described.max_tokens, embedder.max_tokens) == (254, 254)


def test_int8_is_near_and_the_same_alone_and_among_others(embedder: Embedder) -> None:
    """Cosine to fp32 above 0.99 for each text, 0.997 in the mean; and not a bit depends on batch mates."""
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
    """Calibrating again on a few of the texts stays within them: they were measured on all."""
    assert embedder.dimension == 384
    card = find_card("all-MiniLM-L6-v2")
    weights = ModelSettings().cache_dir / "models" / card.name / "weights"
    shipped = find_calibration(card)
    assert shipped is not None
    tensors = read_tensors(weights / WEIGHTS)
    again = calibrate(card, read_shape(weights / CONFIG), tensors, weights / TOKENIZER, texts=calibration_texts()[::60])
    assert set(again) == set(shipped)
    for group in (name for name in shipped if name.startswith("output")):  # their channels are not divided
        assert shipped[group].least - 1e-4 <= again[group].least
        assert again[group].greatest <= shipped[group].greatest + 1e-4
        assert again[group].greatest > 0.4 * shipped[group].greatest
