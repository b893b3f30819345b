"""Kinds of the errors that servers answer with.

Only short codes are quoted, because messages may repeat the request or the key.
"""

import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from core.language_model import ModelError, ModelErrorKind

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}")
_STATUSES: Final[Mapping[int, ModelErrorKind]] = {
    401: "denied",
    403: "denied",
    404: "denied",  # no such model
    408: "timeout",
    424: "failed",  # Bedrock: the model failed
    429: "throttled",
    501: "bad_request",
    504: "timeout",
    529: "throttled",  # Anthropic: overloaded
}
#: Error codes of Bedrock's and SageMaker's runtimes, in lower case and without `exception`.
_AWS_CODES: Final[Mapping[str, ModelErrorKind]] = {
    "throttling": "throttled",
    "toomanyrequests": "throttled",
    "requestlimitexceeded": "throttled",
    "servicequotaexceeded": "throttled",
    "modelnotready": "throttled",
    "modeltimeout": "timeout",
    "serviceunavailable": "unavailable",
    "internalserver": "unavailable",
    "internalfailure": "unavailable",
    "internaldependency": "unavailable",
    "internalstreamfailure": "unavailable",
    "modelerror": "failed",
    "modelstreamerror": "failed",
    "accessdenied": "denied",
    "unrecognizedclient": "denied",
    "expiredtoken": "denied",
    "invalidsignature": "denied",
    "incompletesignature": "denied",
    "missingauthenticationtoken": "denied",
    "resourcenotfound": "denied",
    "validation": "bad_request",
    "validationerror": "bad_request",
}
_CLIENT_FAULT: Final = 400
_SERVER_FAULT: Final = 500


def http_error(status: int, code: str | None, headers: Mapping[str, str]) -> ModelError:
    """The error of a reply with `status`, which isn't 200. `headers` are in lower case."""
    return ModelError(
        f"the server answered {status}{_quoted(code)}", kind=_kind(status), retry_after_s=retry_after_s(headers)
    )


def aws_error(code: str, status: int | None, headers: Mapping[str, str]) -> ModelError:
    """The error of an AWS service: of a reply, or of an event in a stream, which has no status."""
    name = code.rpartition("#")[2].lower().removesuffix("exception")
    kind = _AWS_CODES.get(name) or ("failed" if status is None else _kind(status))
    return ModelError(f"the service answered{_quoted(code)}", kind=kind, retry_after_s=retry_after_s(headers))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that a reply asks to wait, if it is in a known form."""
    for name, seconds in (("x-amz-retry-after", 0.001), ("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
            return float(text) * seconds
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, at.timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _kind(status: int) -> ModelErrorKind:
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= _SERVER_FAULT:
        return "unavailable"
    return "bad_request" if status >= _CLIENT_FAULT else "protocol"


def _quoted(code: str | None) -> str:
    return f" {code}" if code and _CODE.fullmatch(code) else ""
