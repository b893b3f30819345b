"""Reads the settings from environment variables. Called in composition roots only.

A variable with our prefix that is unknown or malformed is a `ConfigError`. `TICKETS_TEST_*` is ignored.
"""

import os
from collections.abc import Mapping
from typing import Final

import msgspec
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from core.addresses import Address
from core.errors import ConfigError
from core.setting_types import PREFIX, Group
from core.settings import Settings

_TEST_PREFIX: Final = "TICKETS_TEST_"

#: Replaces a secret in output.
_HIDDEN: Final = "<hidden>"

#: Settings of version 0.1 by their present names.
RENAMED: Final = {
    "TICKETS_MODEL__REMEMBERED_TEXTS": "TICKETS_MODEL__VECTOR_CACHE_TEXTS",
    "TICKETS_WRITER__CONCURRENCY": "TICKETS_WRITER__MAX_CONCURRENT_BATCHES",
    "TICKETS_WRITER__MAX_BATCH_TICKETS": "TICKETS_WRITER__MAX_BATCH_RECORDS",
    "TICKETS_WRITER__MAX_INFLIGHT_TICKETS": "TICKETS_WRITER__MAX_INFLIGHT_RECORDS",
}
#: Removed settings of version 0.1, with the alternative.
REMOVED: Final = {
    "TICKETS_MODEL__CALL_TOKENS": "it is measured; when TICKETS_MODEL__BATCH_TOKENS is set, a fixed value is used",
    "TICKETS_CLASSIFY__NEIGHBOURS": "the five nearest examples vote",
    "TICKETS_TOPICS__FILE": "give the file to `ticketstream topics --file`",
    "TICKETS_WRITER__BACKOFF_BASE_S": "the first wait is at most 0.1 s, and BACKOFF_MAX_S bounds the longest",
    "TICKETS_WRITER__REJECTED_WINDOW": "TICKETS_WRITER__MAX_REJECTED_SHARE is taken of the last 1,000 records",
}


def variables() -> dict[str, tuple[str, str]]:
    """Every variable's name, with its default as text and its description."""
    found = {}
    for group_name, group in _groups().items():
        defaults = group()
        for name, field in group.model_fields.items():
            value = getattr(defaults, name)
            found[f"{PREFIX}{group_name}__{name}".upper()] = (
                "" if value is None else str(value),
                field.description or "",
            )
    return found


def shown_value(settings: Settings, variable: str) -> str:
    """The value of `variable` for display, or `<hidden>` if it is or may hold a secret."""
    group, _, name = variable.removeprefix(PREFIX).lower().partition("__")
    value = getattr(getattr(settings, group), name)
    if isinstance(value, SecretStr) or (value and "EXTRA" in variable):
        return _HIDDEN
    return "" if value is None else str(value)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ`, by default the process's environment. An empty variable or line counts as not set.

    Raises:
        ConfigError: a variable with our prefix is unknown or malformed; the message names it.
    """
    given = os.environ if environ is None else environ
    known = variables()
    values: dict[str, dict[str, object]] = {}
    for written in sorted(given):
        name = written.upper()
        if not name.startswith(PREFIX) or name.startswith(_TEST_PREFIX):
            continue
        if name not in known:
            raise ConfigError(f"{written} {_why_unknown(name, known)}")
        if not _is_unicode(given[written]):
            raise ConfigError(f"{name}: its value is not UTF-8")
        if value := given[written].rstrip("\r\n"):  # a file's last line end, as in a secret that was made from one
            group, _, field = name.removeprefix(PREFIX).lower().partition("__")
            values.setdefault(group, {})[field] = _decoded(name, value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_why_invalid(error.errors()[0])) from None


def _groups() -> dict[str, type[Group]]:
    groups = {name: field.annotation for name, field in Settings.model_fields.items()}
    return {name: group for name, group in groups.items() if isinstance(group, type) and issubclass(group, Group)}


def _is_unicode(text: str) -> bool:
    """False if the environment holds other bytes than UTF-8, which Python reads as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decoded(name: str, text: str) -> object:
    """`text`, parsed as JSON for KAFKA__EXTRA, the only setting that is a map."""
    if not name.endswith("__EXTRA"):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:  # the error may quote a secret
        raise ConfigError(f'{name}: not valid JSON; write for example {{"option": "value"}}') from None


def _why_invalid(fault: ErrorDetails) -> str:
    place = [str(part) for part in fault["loc"][:2]]
    own = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else None
    if own is not None and len(place) == 1:  # of several variables of a group, which it names
        return own
    name = PREFIX + "__".join(place).upper()
    return f"{name}: {own or _lower_first(fault['msg'])} (got {_shown(name, fault['input'])})"


def _shown(name: str, value: object) -> str:
    """The value as it was given, unless it may be a secret."""
    if any(word in name for word in ("PASSWORD", "KEY", "EXTRA")):
        return _HIDDEN
    return repr(Address(value)) if isinstance(value, str) else repr(value)


def _why_unknown(name: str, known: Mapping[str, object]) -> str:
    if name in RENAMED:
        return f"is now called {RENAMED[name]}"
    if name in REMOVED:
        return f"is no longer a setting: {REMOVED[name]}"
    from core.setting_hints import suggest  # noqa: PLC0415 - only on the way to an error

    meant = suggest(name.removeprefix(PREFIX), (variable.removeprefix(PREFIX) for variable in known))
    hint = f"did you mean {PREFIX}{meant}?" if meant else "`ticketstream doctor --settings` lists them all"
    return f"is not a setting; {hint}"


def _lower_first(message: str) -> str:
    """The message in lower case at its beginning only: it may quote values such as SASL_SSL."""
    return message[:1].lower() + message[1:]
