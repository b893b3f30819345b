"""Settings of the topics' names."""

from typing import Self

from pydantic import Field, model_validator

from core.setting_types import PREFIX, Group, TopicName


class TopicSettings(Group):
    """Topic names."""

    raw: TopicName = Field("tickets.raw", description="Ticket events written by producers.")
    enriched: TopicName = Field("tickets.enriched", description="Split stream: topic that the enrichment role writes.")
    embedded: TopicName = Field("tickets.embedded", description="Split stream: topic that the embedding role writes.")
    dlq: TopicName = Field("tickets.dlq", description="Dead letters.")
    feedback: TopicName = Field(
        "tickets.feedback", description="Agents' verdicts on answers; the RAG service writes them, redacted."
    )

    @model_validator(mode="after")
    def _require_different(self) -> Self:
        """A worker whose dead letters went to the topic that it reads would reject them for ever."""
        names: dict[str, str] = {}
        for setting, name in self:
            variable = f"{PREFIX}TOPICS__{setting.upper()}"
            if name in names:
                raise ValueError(f"{names[name]} and {variable} are both {name}; give each topic a name of its own")
            names[name] = variable
        return self
