"""Types and default folders of the settings."""

import os
import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core.addresses import Address
from core.errors import ConfigError

PREFIX: Final = "TICKETS_"
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")
_NO_HOME: Final = "there is no such home folder; write the whole path"


def default_cache() -> Path:
    """Folder of the models, in the cache folder of the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "ticketstream"


def default_data() -> Path:
    """Folder of the embedded index, in the data folder of the XDG base directory specification."""
    return Path(os.environ.get("XDG_DATA_HOME") or _home() / ".local/share") / "ticketstream"


def _home() -> Path:
    """The user's home folder; the root, as container runtimes have it, for a user that has none."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def expand_home(place: str) -> Path:
    """The folder, with a home folder in place of a leading `~`.

    Raises:
        ConfigError: there is no such home folder.
    """
    try:
        return Path(place).expanduser()
    except RuntimeError:
        raise ConfigError(f"{place}: {_NO_HOME}") from None


def _expand(value: object) -> object:
    try:
        return Path(value).expanduser() if isinstance(value, str) else value
    except RuntimeError:
        raise ValueError(_NO_HOME) from None


def _require_topic(name: str) -> str:
    if _TOPIC.fullmatch(name) is None:
        raise ValueError("a topic's name has 1 to 249 letters, digits, dots, underscores and hyphens")
    return name


def _http_url(value: str) -> Address:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # its message may quote a password
        whole = False
    if not whole or not value.isprintable() or " " in value:
        raise PydanticCustomError("http_url", "not a URL like http://localhost:8082/path or https://example.com")
    return Address(value)


def _page_url(value: str) -> Address:
    return Address(value) if value.startswith("/") and not value.startswith("//") else _http_url(value)


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


#: For a literal type of numbers, which takes no text otherwise.
Number: Final = BeforeValidator(_number)
#: Shown without its credentials. It is still a `str` to those who connect with it.
Url = Annotated[str, AfterValidator(Address)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
#: The same, or a path on the host of the page.
PageUrl = Annotated[str, AfterValidator(_page_url)]
FilePath = Annotated[Path, BeforeValidator(_expand)]
TopicName = Annotated[str, AfterValidator(_require_topic)]
#: Libraries in C take no more than 63 bits, and nothing is counted to a trillion.
Positive = Annotated[int, Field(gt=0, le=1_000_000_000_000)]
#: At most eleven days, because clients count milliseconds in 31 bits.
Seconds = Annotated[float, Field(gt=0, le=1_000_000)]


class Group(BaseModel):
    """A group of settings. Immutable; unknown names are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)
