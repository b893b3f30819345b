"""The figures of a training: a report, SageMaker's form of it, and the few that a registry shows beside a model."""

import math
from typing import Final

import msgspec
from msgspec import Struct

from core.records import LabelKind
from models.labels.report import KindReport

#: Files of a job's figures: the report, and SageMaker's form of it.
REPORT: Final = "report.json"
QUALITY: Final = "model-quality.json"
_DECIMALS: Final = 4
#: SageMaker's value for an unknown standard deviation.
_UNKNOWN: Final = "NaN"


class TrainingReport(Struct, frozen=True):
    """The report of a training job.

    Attributes:
        stamp: the label model's; tickets that it labels carry it as `label_model`.
        model: stamp of the embedding model.
        precision: the share of given labels that had to be right.
        rejected: number of lines that couldn't be used.
        held_out: on tickets that the predicting model was not fitted to.
        test: on the tickets of the channel `test`.
        left_out: by kind of label, the reason why there is no model for it.
    """

    stamp: str
    model: str
    precision: float
    rejected: int
    held_out: list[KindReport]
    test: list[KindReport]
    left_out: dict[LabelKind, str]

    def figures(self) -> dict[str, tuple[float, int]]:
        """Each figure by name, such as `category_accuracy`, with the number of tickets that it is a share of, or 0."""
        found: dict[str, tuple[float, int]] = {}
        for prefix, kinds in (("", self.held_out), ("test_", self.test)):
            for kind in kinds:
                name = f"{prefix}{kind.kind}"
                found[f"{name}_accuracy"] = kind.accuracy, kind.tickets
                found[f"{name}_coverage"] = kind.coverage, kind.tickets
                if kind.precision is not None:
                    found[f"{name}_precision"] = kind.precision, sum(label.given for label in kind.labels)
                found[f"{name}_calibration_error"] = kind.ece, 0
        return found


def model_quality(report: TrainingReport) -> bytes:
    """The figures as a model package's `ModelMetrics.ModelQuality.Statistics` takes them, with standard deviations.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
    """
    figures = {
        name: {"value": value, "standard_deviation": _deviation(value, tickets)}
        for name, (value, tickets) in report.figures().items()
    }
    return msgspec.json.format(msgspec.json.encode({"multiclass_classification_metrics": figures}))


def package_properties(report: TrainingReport) -> dict[str, str]:
    """The stamps and figures as properties of a model package, which hold text only."""
    return {
        "stamp": report.stamp,
        "embedding_model": report.model,
        "wanted_precision": f"{report.precision:g}",
        **{name: f"{value:.{_DECIMALS}f}" for name, (value, _) in report.figures().items()},
    }


def _deviation(share: float, count: int) -> float | str:
    """Standard deviation of a share of `count` independent tickets: that of a binomial distribution."""
    return math.sqrt(share * (1 - share) / count) if count else _UNKNOWN
