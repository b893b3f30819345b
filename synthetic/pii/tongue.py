"""A language's sentences around a value.

`@@` stands for the value.
"""

from msgspec import Struct


class Tongue(Struct, frozen=True):
    """Sentences of one language.

    Attributes:
        script: the report's group.
        digits: the first of the ten digits that this language may use instead of ASCII; None if none.
        regions: countries whose telephone numbers are written here.
    """

    script: str
    regions: tuple[str, ...]
    phone: tuple[str, ...]
    card: tuple[str, ...]
    mail: tuple[str, ...]
    account: tuple[str, ...]
    address: tuple[str, ...]
    secret: tuple[str, ...]
    order: tuple[str, ...]
    digits: str | None = None
