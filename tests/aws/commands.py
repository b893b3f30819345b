"""Runs commands of the AWS command line that a page of the documentation shows, by boto3."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

_COMMAND: Final = re.compile(r"^ +(aws (?:dynamodb|backup) .*)$", re.MULTILINE)
_VARIABLE: Final = re.compile(r"\$(\w+)")
_WORD: Final = re.compile(r"(?:^|-)(\w)")


def commands(page: Path, heading: str) -> list[str]:
    """The commands under a heading, without comments."""
    text = page.read_text()
    start = text.index(f"\n{heading}\n")
    end = text.find("\n## ", start + len(heading))
    return [found.split("  #")[0].strip() for found in _COMMAND.findall(text[start:end])]


def run(client: Any, command: str, **variables: str) -> Any:
    """Run `aws SERVICE CALL --option value …`; `$NAME` is a variable, and options without a value are flags."""
    words = shlex.split(_VARIABLE.sub(lambda found: variables[found[1]], command))
    given: dict[str, Any] = {}
    options = words[3:]
    for place, word in enumerate(options):
        if word.startswith("--"):
            following = options[place + 1] if place + 1 < len(options) else "--"
            flag = following.startswith("--")
            name = word.removeprefix("--")
            off = flag and name.startswith("no-")
            value: Any = (not off) if flag else following
            given[_pascal(name.removeprefix("no-") if off else name)] = value
    return getattr(client, words[2].replace("-", "_"))(**given)


def _pascal(name: str) -> str:
    return _WORD.sub(lambda found: found[1].upper(), name)
