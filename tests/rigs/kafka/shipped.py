"""Reads the broker configuration that is shipped for MSK, with which the tests' cluster runs too."""

from pathlib import Path
from typing import Final

PROPERTIES: Final = Path(__file__).parents[3] / "deploy" / "k8s-ecs" / "msk" / "server.properties"


def shipped_properties(text: str | None = None) -> dict[str, str]:
    """Names and values of `text`, or of the shipped file; comments and empty lines are left out."""
    lines = (PROPERTIES.read_text() if text is None else text).splitlines()
    pairs = (line.partition("=") for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}
