"""Registers the label model of a training job, with its figures, for somebody to approve."""

import hashlib
from typing import Final

import msgspec

from connectors.model_registry import ModelPackage, ModelRegistry
from core.errors import ConfigError
from maintenance.training_report import QUALITY, REPORT, TrainingReport, package_properties

#: SageMaker allows 36 characters.
_TOKEN: Final = 32


class Registered(msgspec.Struct, frozen=True):
    """A label model in the registry.

    Attributes:
        arn: of the model package.
        model: S3 URI of the label model, for TICKETS_CLASSIFY__MODEL.
        report: the job's.
    """

    arn: str
    model: str
    report: TrainingReport


def register_job(registry: ModelRegistry, name: str, *, group: str) -> Registered:
    """Register the label model of the training job `name` in a model package group. Idempotent.

    Raises:
        ConfigError: there is no such job or group, the job isn't completed, or it isn't one that trains label models.
        UnavailableError: AWS is unavailable.
        FatalError: there are no credentials.
    """
    job = registry.completed_job(name)
    content, quality = registry.figures(job, REPORT, QUALITY)
    try:
        report = msgspec.json.decode(content, type=TrainingReport)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(f"training job {name}: {REPORT} isn't one of `services.encoder train`") from None
    package = ModelPackage(
        group=group,
        description=f"{report.stamp} for vectors of {report.model}",
        properties=package_properties(report),
        quality=registry.keep(job, QUALITY, quality),
        token=hashlib.sha256(f"{group} {job.arn}".encode()).hexdigest()[:_TOKEN],
    )
    return Registered(registry.register(job, package), job.model, report)
