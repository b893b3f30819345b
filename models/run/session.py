"""One graph, loaded: padded ids in, vectors out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from core.records import Vector
from models.device import CPU_PROVIDER, CUDA_PROVIDER, Device, cuda_unusable
from models.recipe import DISABLED_OPTIMIZERS, EMBEDDING, IDS, LENGTH_STEP, MASK

Ids = NDArray[np.int32]

#: Like the lengths, for texts.
_TEXTS_STEP: Final = 8
#: Fewer texts than this are not padded with others: one alone must be quick.
_FEW: Final = 4
_QUIET: Final = 3  # errors only


class Session(Protocol):
    """Runs a graph. Not more than one thread at a time calls a CPU session; a GPU's may be shared."""

    def run(self, ids: Ids, mask: Ids) -> Vector:
        """int32[S, B] twice to float32[B, hidden]."""
        ...


def open_sessions(graph: Path, device: Device, *, threads: int) -> list[Session]:
    """As many sessions as may run at once: on the CPU one per thread; a GPU is shared, and two keep it fed.

    Raises:
        ConfigError: there is a GPU and CUDA can't be loaded.
    """
    if device == "cuda":
        return [CudaSession(graph)] * 2
    return [CpuSession(graph) for _ in range(threads)]


class CpuSession:
    """On one thread: a session per core beats one over all of them."""

    def __init__(self, graph: Path | bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        self._session: Any = ort.InferenceSession(
            graph, options, providers=[CPU_PROVIDER], disabled_optimizers=list(DISABLED_OPTIMIZERS)
        )

    def run(self, ids: Ids, mask: Ids) -> Vector:
        """See `Session`."""
        found: Vector = self._session.run([EMBEDDING], {IDS: ids, MASK: mask})[0]
        return found


class CudaSession:
    """On a GPU: shapes in steps, inputs and outputs bound to its memory, so that only ids and vectors cross the bus."""

    def __init__(self, graph: Path | bytes, *, device: Device = "cuda") -> None:
        """Load the graph; `device` is `cpu` only where a test has no GPU.

        Raises:
            ConfigError: CUDA can't be loaded.
        """
        options = ort.SessionOptions()
        options.log_severity_level = _QUIET
        if device == "cuda":
            _preload()
        wanted = CUDA_PROVIDER if device == "cuda" else CPU_PROVIDER
        self._session: Any = ort.InferenceSession(graph, options, providers=[wanted])
        if self._session.get_providers()[0] != wanted:  # it falls back to the CPU with a warning alone
            raise cuda_unusable()
        self._device = device

    def run(self, ids: Ids, mask: Ids) -> Vector:
        """See `Session`. Texts that fill up a step are one token long, and left out of the answer."""
        length, texts = ids.shape
        padding = (
            (0, -length % LENGTH_STEP),
            (0, -texts % _TEXTS_STEP if texts > _FEW else 0),
        )
        ids, mask = np.pad(ids, padding), np.pad(mask, padding)
        mask[0, texts:] = 1
        binding = self._session.io_binding()
        for name, value in ((IDS, ids), (MASK, mask)):
            binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(value, self._device, 0))
        binding.bind_output(EMBEDDING, self._device, 0)
        self._session.run_with_iobinding(binding)
        found: Vector = binding.copy_outputs_to_cpu()[0]
        return found[:texts]


def _preload() -> None:
    """CUDA and cuDNN out of their own packages, where they are installed so."""
    preload: Callable[[], None] | None = getattr(ort, "preload_dlls", None)
    if preload is not None:
        preload()
