"""The folders of a training job, by SageMaker's contract for containers: hyperparameters, channels, and results.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from connectors.files.labelled import read_labelled_jsonl
from connectors.files.lines import uncapitalised
from core.errors import ConfigError
from core.records import Record

TRAIN: Final = "train"
FEEDBACK: Final = "feedback"
TEST: Final = "test"
_CHANNELS: Final = (TRAIN, FEEDBACK, TEST)
#: SageMaker shows this many characters of a failure.
_MAX_FAILURE: Final = 1024


class Hyperparameters(Struct, frozen=True):
    """The hyperparameters of a job.

    Attributes:
        precision: the share of given labels that must be right.
        most: the job trains on a sample of this size if there are more tickets.
    """

    precision: Annotated[float, Meta(ge=0.5, le=0.999)] = 0.95
    most: Annotated[int, Meta(ge=10)] = 50_000


class Job(Struct, frozen=True):
    """The folders under `root`, which is /opt/ml in a container."""

    root: Path

    @property
    def model(self) -> Path:
        """SageMaker uploads its files as model.tar.gz."""
        return self.root / "model"

    @property
    def figures(self) -> Path:
        """SageMaker uploads its files as output.tar.gz."""
        return self.root / "output" / "data"

    @property
    def failure(self) -> Path:
        """SageMaker shows its text as the reason of the failure."""
        return self.root / "output" / "failure"

    def hyperparameters(self) -> Hyperparameters:
        """The given hyperparameters, or defaults. SageMaker passes every value as a string.

        Raises:
            ConfigError: one is unknown, or its value is out of bounds.
        """
        file = self.root / "input" / "config" / "hyperparameters.json"
        try:
            given = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return Hyperparameters()
        except OSError as error:
            raise ConfigError(f"can't read {file}: {(error.strerror or '').lower()}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ConfigError(f"{file} is not a JSON object of strings") from None
        known = Hyperparameters.__struct_fields__
        for name in given:
            if name not in known:
                raise ConfigError(f"hyperparameter {name} is unknown; use {' or '.join(known)}")
        try:
            return msgspec.convert(given, Hyperparameters, strict=False)
        except msgspec.ValidationError as error:
            message, _, place = uncapitalised(error).partition(" - at `$.")
            raise ConfigError(f"hyperparameter {place.rstrip('`')}: {message}") from None

    def channels(self) -> dict[str, list[Path]]:
        """The files of each channel that the job has, in the order of their names.

        Raises:
            ConfigError: a channel is unknown or empty, or there are no tickets to train on.
        """
        data = self.root / "input" / "data"
        given = {one.name: _files(one) for one in data.iterdir() if one.is_dir()} if data.is_dir() else {}
        for name, files in given.items():
            if name not in _CHANNELS:
                raise ConfigError(f"channel {name} is unknown; the channels are {', '.join(_CHANNELS)}")
            if not files:
                raise ConfigError(f"channel {name} has no file; give it an S3 prefix with JSONL files")
        if TRAIN not in given:
            raise ConfigError(
                f"there is no channel {TRAIN} in {data}; give the labelled tickets this name, with the input mode File "
                "or FastFile"
            )
        return given

    def records(self, *channels: str) -> Iterator[Record]:
        """The tickets of these channels, of those that the job has.

        Raises:
            ConfigError: as `channels`; or a file can't be read, or a line is neither a ticket event nor an example.
        """
        given = self.channels()
        for channel in channels:
            for number, file in enumerate(given.get(channel, [])):
                name = f"{channel}/{file.relative_to(self.root / 'input' / 'data' / channel)}"
                try:
                    with file.open("rb") as source:
                        yield from read_labelled_jsonl(source, name=name, id_prefix=f"{channel}/{number}/")
                except OSError as error:
                    raise ConfigError(f"can't read {name}: {(error.strerror or '').lower()}") from None

    def fail(self, reason: str) -> None:
        """Write the reason of the failure, as one line.

        Raises:
            OSError: it can't be written.
        """
        self.failure.parent.mkdir(parents=True, exist_ok=True)
        self.failure.write_text(" ".join(reason.split())[:_MAX_FAILURE])


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
