"""Types and default folders of the settings."""

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from core.addresses import Address

PREFIX: Final = "TICKETS_"


def default_cache() -> Path:
    """Folder of the models, in the cache folder of the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticketstream"


def default_data() -> Path:
    """Folder of the embedded index, in the data folder of the XDG base directory specification."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "ticketstream"


def _expand(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str) else value


#: Shown without its credentials. It is still a `str` to those who connect with it.
Url = Annotated[str, AfterValidator(Address)]
HttpUrl = Annotated[str, Field(pattern="^https?://[^/]"), AfterValidator(Address)]
FilePath = Annotated[Path, BeforeValidator(_expand)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class Group(BaseModel):
    """A group of settings. Immutable; unknown names are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
