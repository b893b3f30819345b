"""Measures the input ranges of a model's matrices over the calibration texts, for static quantisation.

`python -m models.builder.calibrate NAME FOLDER` writes the ranges of a built-in model whose weights are in FOLDER.
With shipped ranges every machine builds the same graph, and so the same model stamp; a model without them is
calibrated where it is built.
"""

import hashlib
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.builder.bert import BertShape, Tensors, read_shape, read_tensors
from models.builder.graph import FloatArithmetic, build_graph
from models.builder.quantise import Calibration, InputRange
from models.recipe import CAPTURE, DISABLED_OPTIMIZERS, IDS, MASK
from models.run.session import InferenceSession
from models.run.tokenise import load_tokenizer
from models.store.cards import CONFIG, TOKENIZER, WEIGHTS, ModelCard, find_card

#: 600 made-up tickets and messages, cleaned and redacted, one per line.
_TEXTS: Final = "texts.txt"
#: Groups of layers whose inputs can be scaled in advance (see `models.builder.quantise`).
_DIVIDED: Final = ("attention", "up", "down")
#: A channel is an outlier if its largest absolute value is above this quantile over all channels.
_QUANTILE: Final = 0.95
_DIGITS: Final = 6


def calibration_texts() -> list[str]:
    """The shipped texts: made-up tickets and messages, cleaned and redacted."""
    return (files("models.builder") / "calibration" / _TEXTS).read_text("utf-8").splitlines()


def find_calibration(card: ModelCard) -> Calibration | None:
    """The shipped ranges of a model, or None."""
    shipped = files("models.builder") / "calibration" / f"{card.name}.json"
    return msgspec.json.decode(shipped.read_bytes(), type=dict[str, InputRange]) if shipped.is_file() else None


def calibration_hash(calibration: Calibration) -> str:
    """Hexadecimal sha256 of the ranges."""
    return hashlib.sha256(msgspec.json.encode(calibration, order="deterministic")).hexdigest()


def calibrate(
    card: ModelCard, shape: BertShape, tensors: Tensors, tokenizer: Path, *, texts: Sequence[str] | None = None
) -> Calibration:
    """Run the float graph over the texts, one at a time, so that no padding affects the ranges."""
    graph = build_graph(
        shape, tensors, pooling=card.pooling, max_length=card.max_length, arithmetic=FloatArithmetic(), capture=True
    )
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session: InferenceSession = ort.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(DISABLED_OPTIMIZERS)
    )
    captured = [output.name for output in session.get_outputs()[1:]]
    extremes: dict[str, NDArray[np.float32]] = {}  # per group: least and greatest of each channel
    encode = load_tokenizer(tokenizer, max_length=card.max_length).encode_batch
    for encoding in encode(list(calibration_texts() if texts is None else texts)):
        ids = np.array(encoding.ids, np.int32)[:, None]
        for name, values in zip(captured, session.run(captured, {IDS: ids, MASK: np.ones_like(ids)}), strict=True):
            flat = values.reshape(-1, values.shape[-1])
            least, greatest = extremes.get(name, (np.inf, -np.inf))
            extremes[name] = np.stack([np.minimum(least, flat.min(0)), np.maximum(greatest, flat.max(0))])
    groups = {name.removeprefix(CAPTURE): found for name, found in extremes.items()}
    return {group: _range(found, divided=group.startswith(_DIVIDED)) for group, found in groups.items()}


def _range(extremes: NDArray[np.float32], *, divided: bool) -> InputRange:
    divisors: tuple[tuple[int, float], ...] = ()
    scale = np.ones(extremes.shape[1])
    if divided:
        size = np.abs(extremes).max(0)
        ordinary = float(np.quantile(size, _QUANTILE))
        divisors = tuple((int(at), _rounded(size[at] / ordinary)) for at in np.flatnonzero(size > ordinary))
        for channel, divisor in divisors:
            scale[channel] = divisor
    least, greatest = extremes / scale
    return InputRange(_rounded(min(0.0, least.min())), _rounded(max(0.0, greatest.max())), divisors)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def main(name: str, folder: str) -> None:
    """Calibrate, and write the ranges next to the texts."""
    card, weights = find_card(name), Path(folder)
    tensors = read_tensors(weights / WEIGHTS)
    found = calibrate(card, read_shape(weights / CONFIG), tensors, weights / TOKENIZER)
    target = Path(__file__).with_name("calibration") / f"{name}.json"
    target.write_bytes(msgspec.json.format(msgspec.json.encode(found, order="deterministic")) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
