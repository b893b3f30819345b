"""An embedding model that a service runs is chosen by its name, checked at the start, and never mixed with another."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from connectors.language_models import titan_calls
from connectors.qdrant.open import open_index_for_writing
from core.environment import load_settings
from core.errors import ConfigError, TransientError
from core.model_settings import TITAN, ModelSettings
from core.settings import IndexSettings
from models.run.hashing import HashingEmbedder
from models.run.pieces import PieceTokenizer
from runtime import model
from runtime.model import build_model, check_remote_model, describe_model, fetch_model, open_embedder, open_tokenizer
from tests.connectors.language_models.clients import aws_environment
from tests.rigs.titan import DENIED, DOWN, TitanServer, always

_TITAN: Final = ModelSettings(name=TITAN, dimensions=512)
_STAMP: Final = "titan-embed-text-v2/bedrock/amazon.titan-embed-text-v2:0/512/normalised"


@pytest.fixture(scope="module")
def opened() -> Iterator[TitanServer]:
    """The fake Bedrock of this file, which boto3 calls."""
    with TitanServer() as server, pytest.MonkeyPatch.context() as patch:
        aws_environment(server.url, patch)
        yield server


@pytest.fixture
def server(opened: TitanServer) -> TitanServer:
    """A server that answers rightly."""
    opened.behave()
    return opened


def test_one_setting_chooses_titan(server: TitanServer) -> None:
    """Only the name is needed; size and region are settings, and the tokens are reported."""
    counted: list[int] = []
    with ExitStack() as stack:
        settings = load_settings({"TICKETS_MODEL__NAME": TITAN}).model
        embedder = open_embedder(settings, stack, on_batch=lambda tokens, _padding, _seconds: counted.append(tokens))
        assert embedder.embed(["a text"]).shape == (1, 1024)
        settings = load_settings(
            {
                "TICKETS_MODEL__NAME": TITAN,
                "TICKETS_MODEL__DIMENSIONS": "256",
                "TICKETS_MODEL__AWS_REGION": "us-west-2",
            }
        ).model
        assert open_embedder(settings, stack).embed(["a text"], "query").shape == (1, 256)
    assert "/eu-central-1/bedrock/" in server.headers[0]["authorization"]
    assert "/us-west-2/bedrock/" in server.headers[-1]["authorization"]
    assert len(counted) == 2, "the check at the start, and the text"


def test_another_size_is_refused() -> None:
    """A size that Titan doesn't have is a mistake that the variable's name explains."""
    for wrong in ("384", "1024.0", "many"):
        with pytest.raises(ConfigError, match=r"TICKETS_MODEL__DIMENSIONS: .*256, 512 or 1024"):
            load_settings({"TICKETS_MODEL__DIMENSIONS": wrong})


def test_a_denied_model_ends_the_start_and_an_outage_does_not(
    server: TitanServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A start without the right to call the model is a ConfigError; in an outage it goes on with a warning."""
    server.behave(always(DENIED))
    with ExitStack() as stack, pytest.raises(ConfigError, match="bedrock:InvokeModel"):
        open_embedder(_TITAN, stack)
    server.behave(always(DOWN))
    with ExitStack() as stack:
        assert open_embedder(_TITAN, stack).stamp == _STAMP
    assert "titan-embed-text-v2 does not answer yet: Amazon Bedrock" in caplog.text
    with pytest.raises(TransientError):
        check_remote_model(_TITAN)


def test_only_the_embedder_calls_the_model(server: TitanServer) -> None:
    """Its description, its tokenizer and `fetch` need neither files nor a call."""
    described = describe_model(_TITAN)
    assert (described.name, described.ready, described.folder) == (TITAN, True, None)
    assert (described.stamp, described.dimension, described.max_tokens) == (_STAMP, 512, PieceTokenizer.max_tokens)
    assert isinstance(open_tokenizer(_TITAN), PieceTokenizer)
    assert fetch_model(_TITAN) is None
    with pytest.raises(ConfigError, match="nothing to build"):
        build_model(_TITAN, to=None)
    assert not server.bodies


def test_the_pinned_stamp_is_the_only_one_that_runs(server: TitanServer) -> None:
    """With another stamp pinned, nothing is called."""
    pinned = _TITAN.model_copy(update={"stamp": "all-MiniLM-L6-v2/int8/0123456789ab"})
    for start in (lambda: open_embedder(pinned, ExitStack()), lambda: fetch_model(pinned)):
        with pytest.raises(ConfigError, match="TICKETS_MODEL__STAMP: all-MiniLM"):
            start()
    assert not server.bodies


def test_a_card_overrides_the_name(tmp_path: Path) -> None:
    """A card names a model that runs here, whatever the name is."""
    assert _TITAN.remote
    assert not _TITAN.model_copy(update={"card": tmp_path / "card.json"}).remote
    assert not ModelSettings().remote


def _require_separate_vectors(folder: Path) -> None:
    """Check that no index takes vectors of two models, or of two sizes of Titan."""
    variables = [{"TICKETS_MODEL__NAME": TITAN, "TICKETS_MODEL__DIMENSIONS": size} for size in ("256", "512", "1024")]
    stamps = [describe_model(load_settings(each).model).stamp for each in variables]
    assert len({*stamps, HashingEmbedder.stamp}) == 4
    assert stamps[1] == _STAMP
    for number, (first, second) in enumerate([(stamps[0], HashingEmbedder.stamp), (stamps[0], stamps[1])]):
        settings = IndexSettings(path=folder / str(number))
        open_index_for_writing(settings, dimension=256, model=str(first)).close()
        with pytest.raises(ConfigError, match="holds vectors of"):
            open_index_for_writing(settings, dimension=256, model=str(second)).close()


def test_vectors_of_other_models_and_sizes_are_kept_apart(tmp_path: Path) -> None:
    """The stamp names provider, model, size and normalisation, and an index takes one stamp only."""
    _require_separate_vectors(tmp_path)


@pytest.mark.parametrize(
    "stamp",
    [lambda _size: TITAN, lambda _size: HashingEmbedder.stamp, lambda size: f"{TITAN}/{size}"],
    ids=["without the size", "of another model", "without the provider"],
)
def test_a_mutant_stamp_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stamp: Callable[[int], str]) -> None:
    """The checks of the stamp fail for stamps that lack a part."""
    monkeypatch.setattr(titan_calls, "titan_stamp", stamp)
    assert model._titan_stamp(_TITAN) == stamp(512)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        _require_separate_vectors(tmp_path)
