"""The bodies and parameters of requests, and their conversion to queries of the index."""

import re
from datetime import datetime
from typing import Annotated, Final, Self

from fastapi import Query
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from answers.evidence import MAX_SOURCES
from core.contract import milliseconds
from core.feedback import Verdict
from core.index import SearchQuery
from runtime.control import MAX_QUESTION
from services.http.callers import Caller

_MAX_TICKETS: Final = 100
#: The maximum length of a filter's value, in characters.
_MAX_VALUE: Final = 128

Question = Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUESTION)]
#: The same as in the contract of tickets.
TicketId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,128}$")]
Values = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=_MAX_VALUE)]], Field(max_length=100)]


_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]")


def _moment(value: object) -> object:
    """A time is a text: pydantic would take any number for seconds or milliseconds since 1970."""
    if not isinstance(value, str) or not _MOMENT.match(value):
        raise ValueError("must be a date and time with an offset, such as 2026-01-31T08:00:00Z")
    return value


Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_moment)]


class _Body(BaseModel):
    """The body of a request. Unknown fields are refused, and no value is converted to another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Filters(_Body):
    """A ticket must match every filter. A list matches any of its values; an empty list matches everything."""

    status: Values = []
    category: Values = []
    language: Values = []
    channel: Values = []
    priority: Values = []
    customer_id: Values = []
    solved: bool | None = None
    updated_after: Moment | None = None
    updated_before: Moment | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    solved_after: Moment | None = None
    solved_before: Moment | None = None


class SearchBody(_Body):
    """A question to the tenant's tickets."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"question": "cannot sign in after the password change", "limit": 5},
                {"question": "relay denied", "filters": {"solved": True, "updated_after": "2026-01-01T00:00:00Z"}},
            ]
        },
    )

    question: Question = Field(description='Words, identifiers, "phrases" and filters such as status:open.')
    limit: int = Field(10, ge=1, le=_MAX_TICKETS, description="Maximum tickets.")
    filters: Filters = Filters()
    plain: bool = Field(False, description="Rank by the match alone, without the factors.")


class AnswerBody(_Body):
    """A question that the service answers from solved tickets."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"question": "How do I fix a sync that stops after the update?", "ticket_id": "T-1042"}]
        },
    )

    question: Question
    ticket_id: TicketId | None = Field(None, description="The ticket that the question is about; it is never a source.")
    limit: int = Field(MAX_SOURCES, ge=1, le=MAX_SOURCES, description="Maximum sources.")


class FeedbackBody(_Body):
    """The caller's verdict on an answer. The last one counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"verdict": "sent"},
                {"verdict": "edited", "text": "Restart the agent, then sync again."},
                {"verdict": "discarded", "reason": "It is about another product."},
            ]
        },
    )

    verdict: Verdict
    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] | None = Field(
        None, description="The text that the agent sent instead; only with `edited`."
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = Field(
        None, description="Why the answer was discarded; only with `discarded`."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.text is not None and self.verdict != "edited":
            raise ValueError("text is allowed only with the verdict 'edited'")
        if self.reason is not None and self.verdict != "discarded":
            raise ValueError("reason is allowed only with the verdict 'discarded'")
        return self


class SimilarParameters(BaseModel):
    """The parameters of a search for similar tickets."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Query(10, ge=1, le=_MAX_TICKETS, description="Maximum tickets.")
    solved: bool | None = Query(None, description="Only solved or unsolved tickets.")
    plain: bool = Query(False, description="Rank by the match alone, without the factors.")


def sees_notes(caller: Caller) -> bool:
    """Whether the caller may see internal notes: only people may, never programs."""
    return not caller.roles.isdisjoint({"agent", "operator"})


def query_of(caller: Caller, limit: int, filters: Filters) -> SearchQuery:
    """A search query in the caller's own tenant.

    Raises:
        ConfigError: a filter is out of bounds.
    """
    return SearchQuery(
        tenant_id=caller.tenant_id,
        limit=limit,
        status=tuple(filters.status),
        category=tuple(filters.category),
        language=tuple(filters.language),
        channel=tuple(filters.channel),
        priority=tuple(filters.priority),
        customer_id=tuple(filters.customer_id),
        solved=filters.solved,
        updated_after_ms=_ms(filters.updated_after),
        updated_before_ms=_ms(filters.updated_before),
        created_after_ms=_ms(filters.created_after),
        created_before_ms=_ms(filters.created_before),
        solved_after_ms=_ms(filters.solved_after),
        solved_before_ms=_ms(filters.solved_before),
        public_only=not sees_notes(caller),
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)
