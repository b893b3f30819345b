"""The settings of this process, from its environment. Read in composition roots only.

An unknown or malformed variable with our prefix is a `ConfigError`. `TICKETS_TEST_*` is left to the tests.
"""

import os
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError

from core.errors import ConfigError
from core.settings import PREFIX, Group, Settings

_FOREIGN: Final = "TICKETS_TEST_"


def variables() -> dict[str, tuple[str, str]]:
    """Every variable's name, with its default as text and its description."""
    found = {}
    for group_name, group_field in Settings.model_fields.items():
        group = group_field.annotation
        assert isinstance(group, type)  # noqa: S101 - for mypy: every field of Settings is a Group
        assert issubclass(group, Group)  # noqa: S101 - likewise
        defaults = group()
        for name, field in group.model_fields.items():
            value = getattr(defaults, name)
            found[f"{PREFIX}{group_name}__{name}".upper()] = (
                "" if value is None else str(value),
                field.description or "",
            )
    return found


def shown_value(settings: Settings, variable: str) -> str:
    """The value `variable` has, as text fit for a screen: a secret stays one."""
    group, _, name = variable.removeprefix(PREFIX).lower().partition("__")
    value = getattr(getattr(settings, group), name)
    if isinstance(value, SecretStr) or (value and "EXTRA" in variable):
        return "a secret"
    return "" if value is None else str(value)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the process's environment.

    Args:
        environ: checked for unknown names instead of `os.environ`, in tests.

    Raises:
        ConfigError: a variable with our prefix is unknown or malformed; the message names it.
    """
    known = variables()
    for name in sorted(os.environ if environ is None else environ):
        upper = name.upper()
        if upper.startswith(PREFIX) and not upper.startswith(_FOREIGN) and upper not in known:
            raise ConfigError(f"{name} is not a setting{_suggest(upper, known)}")
    try:
        return Settings()
    except SettingsError:  # only maps are read as JSON, and there is one; its value may hold a secret
        raise ConfigError(f'{PREFIX}KAFKA__EXTRA: this is not JSON; write {{"option": "value"}}') from None
    except ValidationError as error:
        fault = error.errors()[0]
        name = PREFIX + "__".join(str(part) for part in fault["loc"][:2]).upper()
        raise ConfigError(f"{name}: {fault['msg'].lower()} (got {_shown(name, fault['input'])})") from None


def _shown(name: str, value: object) -> str:
    """The value as typed, unless it may be a secret."""
    return "a secret" if any(word in name for word in ("PASSWORD", "KEY", "EXTRA")) else repr(value)


def _suggest(name: str, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else "; `ticketstream doctor --settings` lists them all"
