"""The built image, for all tests of this folder that run it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.image.build import Buildah, Image, build, fill_store


@pytest.fixture(scope="package")
def buildah() -> Iterator[Buildah]:
    """buildah with its storage in the user's cache, which is tidied at the end."""
    found = Buildah()
    yield found
    found.tidy()


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a built model."""
    return fill_store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="package")
def image(buildah: Buildah, store: Path) -> Image:
    """The image with a baked model."""
    return build(buildah, name="localhost/ticketstream:test", model="baked", models=store)
