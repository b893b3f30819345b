"""The encoder keeps SageMaker's contract: it is healthy, embeds batches as the workers do, and names mistakes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from core.model_settings import ModelSettings
from core.settings import Settings
from models.open import load_embedder
from services.encoder.app import INVOCATIONS, MAX_CHARACTERS, MAX_TEXTS, PING
from services.encoder.compose import open_app

_SETTINGS = Settings(model=ModelSettings(name="hashing"))


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with ExitStack() as stack, TestClient(open_app(_SETTINGS, stack)) as opened:
        yield opened


def _invoke(client: TestClient, body: object) -> Any:
    response = client.post(INVOCATIONS, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_it_is_healthy(client: TestClient) -> None:
    """SageMaker sends requests once /ping answers 200 with an empty body."""
    response = client.get(PING)
    assert (response.status_code, response.content) == (200, b"")


def test_vectors_are_those_of_the_workers(client: TestClient) -> None:
    """A batch gives the vector of each text in order, with the stamp that an index is checked by."""
    texts = ["The invoice shows the wrong VAT rate", "reset my password", ""]
    embedder = load_embedder(_SETTINGS.model)
    found = _invoke(client, {"texts": texts})
    assert np.allclose(found["vectors"], embedder.embed(texts), atol=1e-6)
    assert (found["dimension"], found["stamp"]) == (embedder.dimension, embedder.stamp)
    query = _invoke(client, {"texts": texts[:1], "kind": "query"})
    assert np.allclose(query["vectors"], embedder.embed(texts[:1], "query"), atol=1e-6)


def test_concurrent_requests_get_their_own_vectors(client: TestClient) -> None:
    """SageMaker calls a container from several threads."""
    texts = [f"ticket {number}" for number in range(24)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: _invoke(client, {"texts": [text]})["vectors"][0], texts))
    assert np.allclose(found, load_embedder(_SETTINGS.model).embed(texts), atol=1e-6)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "texts"),
        ({"texts": []}, "texts"),
        ({"texts": ["a"] * (MAX_TEXTS + 1)}, "texts"),
        ({"texts": ["a" * (MAX_CHARACTERS + 1)]}, "texts"),
        ({"texts": [1]}, "texts"),
        ({"texts": ["a"], "kind": "document"}, "kind"),
        ({"texts": ["a"], "model": "other"}, "model"),
    ],
)
def test_a_mistake_is_named_and_not_quoted(client: TestClient, body: object, field: str) -> None:
    """The caller gets 422 with the field, and never a vector of something else."""
    response = client.post(INVOCATIONS, json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"].startswith(field)


def test_a_body_that_is_no_json_is_refused(client: TestClient) -> None:
    """A body that isn't JSON is refused, and so is one in a format that SageMaker could pass on, such as CSV."""
    assert client.post(INVOCATIONS, content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert client.post(INVOCATIONS, content=b"a,b", headers={"Content-Type": "text/csv"}).status_code == 415
