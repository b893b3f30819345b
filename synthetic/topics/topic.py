"""The templates of synthetic tickets: topics, and the causes of their problems."""

from msgspec import Struct


class Cause(Struct, frozen=True):
    """One problem, its cause and its solution, as templates with `{slots}` that `synthetic.writing` fills.

    Attributes:
        name: unique; it begins with the topic's name.
        symptoms: the customer's sentences, of which a ticket has one.
        ask: the agent's question, and `answer` the customer's reply to it.
        finding: an internal note that states the cause.
        fix: the agent's message that solves the problem. It states facts that only the tenant's tickets have.
        questions: search questions in words that the tickets don't share.
    """

    name: str
    subjects: tuple[str, ...]
    symptoms: tuple[str, ...]
    ask: str
    answer: str
    finding: str
    fix: str
    questions: tuple[str, ...]


class Topic(Struct, frozen=True):
    """A category of tickets. Its name is the category, where a ticket has one.

    Attributes:
        details: sentences that fit all causes.
    """

    name: str
    priority: str
    details: tuple[str, ...]
    causes: tuple[Cause, ...]
