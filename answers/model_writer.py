"""The writer with a language model: requests sentences, and parses its output as it arrives."""

from collections.abc import Generator, Iterator
from contextlib import closing
from random import Random
from threading import Event
from typing import Final

from answers.drafts import DraftReader
from answers.evidence import Evidence
from answers.prompt import prompt_of, system_of
from answers.writer import Asked, Declined, Draft, Written
from core.language_model import End, LanguageModel, ModelError, ModelRequest, Tokens

_CANARY_BITS: Final = 64


class ModelWriter:
    """Implements `Writer` over a language model."""

    def __init__(self, model: LanguageModel, *, max_tokens: int, timeout_s: float, rng: Random) -> None:
        """Write with `model`, in at most `max_tokens` tokens and `timeout_s` seconds. `rng` chooses the canaries."""
        self._model = model
        self._max_tokens = max_tokens
        self._timeout_s = timeout_s
        self._rng = rng

    @property
    def name(self) -> str:
        """See `Writer`."""
        return self._model.name

    def write(self, asked: Asked, evidence: Evidence, stop: Event) -> Generator[Written, None, None]:
        """See `Writer`.

        Raises:
            ModelError: the model failed, wrote malformed output, or repeated its rules.
        """
        canary = f"c{self._rng.getrandbits(_CANARY_BITS):016x}"
        request = ModelRequest(
            tenant_id=asked.tenant_id,
            system=system_of(canary),
            prompt=prompt_of(asked.question, evidence),
            max_tokens=self._max_tokens,
            timeout_s=self._timeout_s,
        )
        reader, end = DraftReader(), None
        with closing(self._model.stream(request, stop)) as pieces:
            for piece in pieces:
                if isinstance(piece, Tokens):
                    yield piece
                elif isinstance(piece, End):
                    end = piece
                elif end is None:
                    yield from _clean(reader.feed(piece.text), canary)
                if stop.is_set():
                    return
        if stop.is_set():
            return
        if end is None:
            raise ModelError(f"{self.name} was cut off", kind="cut_off")
        if end.reason == "filtered":
            raise ModelError(f"a filter of {self.name} stopped its answer", kind="failed")
        if end.reason == "stop":  # at the maximum of tokens the last line is incomplete
            yield from _clean(reader.end(), canary)


def _clean(found: Iterator[Draft | Declined], canary: str) -> Iterator[Draft | Declined]:
    for draft in found:
        if isinstance(draft, Draft) and canary in draft.text:
            raise ModelError("the model repeated its rules", kind="protocol")
        yield draft
