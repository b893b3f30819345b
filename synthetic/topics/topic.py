"""The template of a synthetic ticket."""

from msgspec import Struct


class Topic(Struct, frozen=True):
    """Sentences to combine, with `{slots}` for `synthetic.writing` to fill.

    Attributes:
        name: the ticket's category, where it has one.
        questions: search questions about the topic, in words that no ticket of it has.
    """

    name: str
    priority: str
    subjects: tuple[str, ...]
    problems: tuple[str, ...]
    details: tuple[str, ...]
    questions: tuple[str, ...]
