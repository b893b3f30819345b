"""The bodies of the ticket API's requests and responses. Their limits are those of the ticket contract.

Limits that are settings (messages, tags, bytes) are checked by `commands`.
"""

import math
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
)

from core.contract import Role

#: Ids that need no escape in a path; the contract allows more.
TICKET_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$"
_NO_NUL: Final = r"^[^\x00]*$"

_INT64: Final = 2**63

TicketId = Annotated[str, StringConstraints(pattern=TICKET_ID)]
Text = Annotated[str, StringConstraints(pattern=_NO_NUL)]
Keyword = Annotated[str, StringConstraints(pattern=_NO_NUL, min_length=1, max_length=64)]
CustomerId = Annotated[str, StringConstraints(pattern=_NO_NUL, min_length=1, max_length=128)]


def _attribute(value: object) -> object:
    """An attribute's value: anything except lists, objects and numbers that the index can't keep."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str) and "\0" not in value:
        return value
    raise ValueError("must be a text without NUL, a number, true, false or null; a whole number has 64 bits")


AttributeValue = Annotated[
    StrictBool | StrictInt | StrictFloat | StrictStr | None, BeforeValidator(_attribute), Field(title="Attribute")
]
Attributes = dict[Text, AttributeValue]


class _Body(BaseModel):
    """A request's body. Unknown fields are refused, and no value is converted to another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NewTicket(_Body):
    """A ticket to create."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "subject": "Refund for order A-1042",
                "body": "I returned the parcel three weeks ago and have no money back.",
                "channel": "email",
                "customer_id": "C-7",
                "tags": ["vip"],
                "attributes": {"seats": 12},
            }
        }
    )

    ticket_id: TicketId | None = Field(
        None, description="By default the service chooses one. The id of a deleted ticket can't be used again."
    )
    subject: Text = ""
    body: Text = Field("", description="The opening message, plain text or HTML.")
    channel: Keyword = "other"
    status: Keyword = "open"
    priority: Keyword | None = None
    category: Keyword | None = None
    customer_id: CustomerId | None = None
    tags: list[Keyword] = Field(default_factory=list)
    attributes: Attributes = Field(default_factory=dict)


class TicketPatch(_Body):
    """Fields to replace. Omitted ones stay as they are."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "example": {"status": "pending", "priority": "high", "tags": ["vip"]}}
    )

    # Factories, because the OpenAPI document would show defaults as the values of omitted fields.
    subject: Text = Field(default_factory=str)
    body: Text = Field(default_factory=str)
    channel: Keyword = Field(default_factory=str)
    status: Keyword = Field(default_factory=str, description="Also reopens a closed ticket.")
    priority: Keyword | None = Field(None, description="null removes it.")
    category: Keyword | None = Field(None, description="null removes it.")
    customer_id: CustomerId | None = Field(None, description="null removes it.")
    tags: list[Keyword] = Field(default_factory=list)
    attributes: Attributes = Field(default_factory=dict, description="Replaces all attributes.")

    def given(self) -> dict[str, Any]:
        """The fields that the request has."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewComment(_Body):
    """A message to add to the thread."""

    model_config = ConfigDict(json_schema_extra={"example": {"body": "We are looking into it.", "public": True}})

    body: Annotated[str, StringConstraints(pattern=_NO_NUL, min_length=1)]
    author: Role | None = Field(
        None, description="By default `customer` if the caller is a service, and `agent` otherwise."
    )
    public: bool = Field(True, description="False for an internal note.")


class Closing(_Body):
    """A request to close a ticket."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"resolution": "The refund was sent today; it arrives within three days."}}
    )

    resolution: Annotated[str, StringConstraints(pattern=_NO_NUL, min_length=1)] | None = Field(
        None, description="A last public message of the agent, which says how the problem was solved."
    )


class ListParameters(BaseModel):
    """The parameters of a list. Unknown ones are refused, because a misspelt filter would list every ticket."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=1_024, description="`next` of the previous page.")
    status: Keyword | None = Field(None, description="Only tickets with this status.")
    customer_id: CustomerId | None = Field(None, description="Only tickets of this customer.")


class MessageBody(BaseModel):
    """A message of the thread."""

    author: Role
    body: str
    created_at: datetime
    public: bool


class TicketBody(BaseModel):
    """A ticket."""

    ticket_id: str
    version: int
    created_at: datetime
    updated_at: datetime
    subject: str
    body: str
    channel: str
    status: str
    priority: str | None
    category: str | None
    customer_id: str | None
    tags: list[str]
    attributes: dict[str, bool | int | float | str | None]
    messages: list[MessageBody]


class SummaryBody(BaseModel):
    """A ticket in a list."""

    ticket_id: str
    version: int
    created_at: datetime
    updated_at: datetime
    subject: str = Field(description="At most 256 characters.")
    status: str
    channel: str
    priority: str | None
    category: str | None
    customer_id: str | None
    messages: int = Field(description="Number of messages in the thread.")


class TicketPage(BaseModel):
    """A page of a list."""

    tickets: list[SummaryBody]
    next: str | None = Field(description="Cursor of the next page; null at the end.")
