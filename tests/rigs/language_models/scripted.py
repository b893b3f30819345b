"""A scripted language model in this process."""

from collections.abc import Generator, Iterable
from threading import Event

from core.language_model import ModelError, ModelRequest, Part

Script = Iterable[Part | ModelError]


class ScriptedModel:
    """Implements `core.language_model.LanguageModel`. Each call takes the next script; the last one repeats."""

    def __init__(self, *scripts: Script, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        self._scripts = [list(script) for script in scripts]

    def stream(self, request: ModelRequest, stop: Event) -> Generator[Part, None, None]:
        """Yield the parts of a script, and raise an error among them."""
        self.requests.append(request)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        for part in script:
            if stop.is_set():
                return
            if isinstance(part, ModelError):
                raise part
            yield part
