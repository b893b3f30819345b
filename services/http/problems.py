"""Problem documents (RFC 9457), the body of every error."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
_TYPE: Final = "urn:ticketstream:problem:"
_INSTANCE: Final = "urn:ticketstream:request:"

ProblemKind = Literal[
    "bad-request",
    "unauthenticated",
    "forbidden",
    "not-found",
    "method-not-allowed",
    "not-acceptable",
    "request-timeout",
    "conflict",
    "precondition-failed",
    "too-large",
    "unsupported-media-type",
    "invalid",
    "precondition-required",
    "too-many-requests",
    "headers-too-large",
    "internal",
    "unavailable",
    "timeout",
]

#: Status and title by kind.
KINDS: Final[dict[ProblemKind, tuple[int, str]]] = {
    "bad-request": (400, "The request can't be read"),
    "unauthenticated": (401, "A valid access token is required"),
    "forbidden": (403, "The caller may not do this"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "The path does not have this method"),
    "not-acceptable": (406, "The service can't answer in an accepted media type"),
    "request-timeout": (408, "The request was sent too slowly"),
    "conflict": (409, "The request conflicts with the state of the resource"),
    "precondition-failed": (412, "The resource has changed"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The body's media type is not supported"),
    "invalid": (422, "The request is not valid"),
    "precondition-required": (428, "A precondition is required"),
    "too-many-requests": (429, "Too many requests"),
    "headers-too-large": (431, "The headers are too large"),
    "internal": (500, "The service failed"),
    "unavailable": (503, "The service is unavailable"),
    "timeout": (504, "The answer took too long"),
}
_BY_STATUS: Final[dict[int, ProblemKind]] = {status: kind for kind, (status, _) in KINDS.items()}


class FieldError(Struct, frozen=True):
    """A fault of one field, which is named by its path. The message does not quote the value."""

    field: str
    message: str


class ProblemDocument(Struct, frozen=True, omit_defaults=True):
    """The body of an error."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: Sequence[FieldError] = ()


class Problem(Exception):  # noqa: N818 - the RFC's word
    """Ends a request with a problem document. Raise it anywhere before the response has begun."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the problem.

        Args:
            kind: decides type, status and title.
            detail: one sentence for the caller, which quotes neither a ticket nor a secret.
            errors: the faulty fields.
            headers: added to the response.
        """
        super().__init__(kind)
        self.kind: ProblemKind = kind
        self.status, self.title = KINDS[kind]
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def response(self, request_id: str) -> Response:
        """The response that describes it."""
        document = ProblemDocument(
            type=_TYPE + self.kind,
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=_INSTANCE + request_id,
            errors=self.errors,
        )
        return Response(msgspec.json.encode(document), self.status, dict(self.headers), MEDIA_TYPE)


def invalid(field: str, message: str) -> Problem:
    """A problem of one field."""
    return Problem("invalid", "A field is not valid.", errors=[FieldError(field, message)])


def unavailable(detail: str, *, retry_after_s: float = 1.0) -> Problem:
    """Something is unavailable; the same request may succeed after `retry_after_s`."""
    return Problem("unavailable", detail, headers={"Retry-After": str(max(1, round(retry_after_s)))})


def of_status(status: int, *, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem of an HTTP status."""
    kind = _BY_STATUS.get(status, "bad-request" if status < 500 else "internal")  # noqa: PLR2004 - HTTP's classes
    return Problem(kind, f"{KINDS[kind][1]}.", headers=headers)
