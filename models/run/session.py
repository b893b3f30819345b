"""Sessions of ONNX Runtime: padded ids in, vectors out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from core.records import Vector
from models.device import CPU_PROVIDER, CUDA_PROVIDER, Device, cuda_load_error
from models.recipe import DISABLED_OPTIMIZERS, EMBEDDING, IDS, LENGTH_STEP, MASK

Ids = NDArray[np.int32]

#: On a GPU the number of texts is padded to a multiple of this, as lengths are to `LENGTH_STEP`.
_TEXTS_STEP: Final = 8
#: A batch of up to this many texts is not padded to `_TEXTS_STEP`, so that a single text stays fast.
_FEW: Final = 4
_ERRORS_ONLY: Final = 3
#: Concurrent calls of a GPU's one session: while one computes, the inputs of the next are prepared.
_CUDA_CALLS: Final = 2


class Session(Protocol):
    """Runs a graph. Thread-safe: a call computes on the calling thread, or on the GPU."""

    def run(self, ids: Ids, mask: Ids) -> Vector:
        """Ids and mask, both int32[S, B], to float32[B, hidden]."""
        ...


class _Output(Protocol):
    """The part of `onnxruntime.NodeArg` that is used here."""

    @property
    def name(self) -> str: ...


class _Binding(Protocol):
    """The part of `onnxruntime.IOBinding` that is used here."""

    def bind_ortvalue_input(self, name: str, value: object) -> None: ...
    def bind_output(self, name: str, device_type: str, device_id: int) -> None: ...
    def copy_outputs_to_cpu(self) -> list[Vector]: ...


class InferenceSession(Protocol):
    """The part of `onnxruntime.InferenceSession` that is used here; the library ships no types."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Ids]) -> list[Vector]: ...
    def get_outputs(self) -> Sequence[_Output]: ...
    def get_providers(self) -> list[str]: ...
    def io_binding(self) -> _Binding: ...
    def run_with_iobinding(self, binding: _Binding) -> None: ...


def open_sessions(graph: Path, device: Device, *, threads: int) -> list[Session]:
    """A session for each concurrent call: one per thread on the CPU; on a GPU one session for all.

    Threads that share a CPU session also share its memory arena, so a buffer moves from one core's cache to another's:
    in about half of all processes every call took 12 % longer. A session takes 30 MiB for the default model.

    Raises:
        ConfigError: there is a GPU, but CUDA can't be loaded.
    """
    if device == "cuda":
        return [open_session(graph, device)] * _CUDA_CALLS
    return [open_session(graph, device) for _ in range(threads)]


def open_session(graph: Path | bytes, device: Device) -> Session:
    """One session.

    Raises:
        ConfigError: there is a GPU, but CUDA can't be loaded.
    """
    return open_cuda_session(graph) if device == "cuda" else open_cpu_session(graph)


def open_cpu_session(graph: Path | bytes) -> "CpuSession":
    """A session that computes on the calling thread: a call per core is faster than one call over all cores."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return CpuSession(
        ort.InferenceSession(graph, options, providers=[CPU_PROVIDER], disabled_optimizers=list(DISABLED_OPTIMIZERS))
    )


def open_cuda_session(graph: Path | bytes, *, device: Device = "cuda") -> "CudaSession":
    """A session on a GPU; `device` is `cpu` only in tests without one.

    Raises:
        ConfigError: CUDA can't be loaded.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    if device == "cuda":
        _preload_cuda()
    wanted = CUDA_PROVIDER if device == "cuda" else CPU_PROVIDER
    session: InferenceSession = ort.InferenceSession(graph, options, providers=[wanted])
    if session.get_providers()[0] != wanted:  # ONNX Runtime falls back to the CPU with a warning only
        raise cuda_load_error()
    return CudaSession(session, device)


class CpuSession:
    """Implements `Session` on the CPU."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def run(self, ids: Ids, mask: Ids) -> Vector:
        """See `Session`."""
        return self._session.run([EMBEDDING], {IDS: ids, MASK: mask})[0]


class CudaSession:
    """Implements `Session` on a GPU.

    Shapes are padded in steps. Inputs and outputs are bound to the GPU's memory, so only ids and vectors cross the bus.
    """

    def __init__(self, session: InferenceSession, device: Device) -> None:
        self._session = session
        self._device = device

    def run(self, ids: Ids, mask: Ids) -> Vector:
        """See `Session`. Texts that are added to fill up a step are one token long, and dropped from the result."""
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
        return binding.copy_outputs_to_cpu()[0][:texts]


def _preload_cuda() -> None:
    """Load CUDA and cuDNN from their Python packages, if they are installed that way."""
    preload: Callable[[], None] | None = getattr(ort, "preload_dlls", None)
    if preload is not None:
        preload()
