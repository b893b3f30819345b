"""`python -m tests.services.encoder.child FOLDER`: a training job that gets SIGTERM while it embeds."""

import os
import signal
import sys
from collections.abc import Sequence

import pytest

from core.protocols import TextKind
from core.records import Vector
from models.run.hashing import HashingEmbedder
from services.encoder import training
from services.encoder.__main__ import main


class _Terminated(HashingEmbedder):
    def embed(self, texts: Sequence[str], kind: TextKind = "passage") -> Vector:
        os.kill(os.getpid(), signal.SIGTERM)
        return super().embed(texts, kind)


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "open_embedder", lambda _settings, _stack: _Terminated())
        sys.exit(main(["train", *sys.argv[1:]]))
