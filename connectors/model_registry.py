"""SageMaker's training jobs and its registry of models. boto3 takes credentials and region from the environment."""

import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from connectors.aws import Timeouts, is_outage, open_client
from core.errors import ConfigError, FatalError, UnavailableError

_TIMEOUTS: Final = Timeouts(connect_s=5, read_s=30, attempts=4)
_COMPLETED: Final = "Completed"
_MODEL: Final = "model.tar.gz"
_OUTPUT: Final = "output.tar.gz"
_JSON: Final = "application/json"
#: Maximum bytes of a job's file of figures; real ones are far smaller.
_MAX_BYTES: Final = 16 * 1024 * 1024


class TrainingJob(Struct, frozen=True):
    """A completed job.

    Attributes:
        image: of its container.
        model: S3 URI of its model.tar.gz.
    """

    name: str
    arn: str
    image: str
    model: str


class ModelPackage(Struct, frozen=True):
    """A version of a model for the registry.

    Attributes:
        group: name of the model package group.
        properties: text by name, shown beside the version.
        quality: S3 URI of the figures, in the form of SageMaker's model quality.
        token: calls with the same token have one effect.
    """

    group: str
    description: str
    properties: Mapping[str, str]
    quality: str
    token: str


class ModelRegistry:
    """Reads training jobs, and registers their models."""

    def __init__(self, sagemaker: Any, s3: Any) -> None:
        self._sagemaker = sagemaker
        self._s3 = s3

    def completed_job(self, name: str) -> TrainingJob:
        """The training job of that name.

        Raises:
            ConfigError: there is none, it isn't completed, or its model isn't one archive.
            UnavailableError: SageMaker is unavailable.
        """
        with _translated(f"training job {name}"):
            found = self._sagemaker.describe_training_job(TrainingJobName=name)
        status = found["TrainingJobStatus"]
        if status != _COMPLETED:
            reason = " ".join(found.get("FailureReason", "only a completed job has a model").split())
            raise ConfigError(f"training job {name} is {status}: {reason}")
        model = found.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
        if not model.endswith(f"/{_MODEL}"):
            raise ConfigError(f"training job {name} has no {_MODEL}; create it with the compression type GZIP")
        image = found["AlgorithmSpecification"].get("TrainingImage", "")
        return TrainingJob(name, found["TrainingJobArn"], image, model)

    def figures(self, job: TrainingJob, *names: str) -> list[bytes]:
        """The files of these names that the job has left in its output.

        Raises:
            ConfigError: one is missing, or the output can't be read.
            UnavailableError: S3 is unavailable.
        """
        bucket, key = _bucket_and_key(_beside(job.model, _OUTPUT))
        with _translated(f"s3://{bucket}/{key}"):
            content = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            found = dict(_members(content, set(names)))
        except (tarfile.TarError, EOFError, OSError, zlib.error):
            raise ConfigError(f"s3://{bucket}/{key} is not a readable archive") from None
        missing = [name for name in names if name not in found]
        if missing:
            raise ConfigError(f"s3://{bucket}/{key} has no {missing[0]}; was the job one of `services.encoder train`?")
        return [found[name] for name in names]

    def keep(self, job: TrainingJob, name: str, content: bytes) -> str:
        """Write a JSON file beside the job's model, and return its S3 URI.

        Raises:
            ConfigError: S3 refuses.
            UnavailableError: S3 is unavailable.
        """
        place = _beside(job.model, name)
        bucket, key = _bucket_and_key(place)
        with _translated(place):
            self._s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=_JSON)
        return place

    def register(self, job: TrainingJob, package: ModelPackage) -> str:
        """Add the job's model to the registry, where somebody has to approve it, and return its ARN.

        Raises:
            ConfigError: there is no such group, or SageMaker refuses.
            UnavailableError: SageMaker is unavailable.
        """
        with _translated(f"model package group {package.group}"):
            arn: str = self._sagemaker.create_model_package(
                ModelPackageGroupName=package.group,
                ModelPackageDescription=package.description,
                ModelApprovalStatus="PendingManualApproval",
                InferenceSpecification={
                    "Containers": [{"Image": job.image, "ModelDataUrl": job.model}],
                    "SupportedContentTypes": [_JSON],
                    "SupportedResponseMIMETypes": [_JSON],
                },
                ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": _JSON, "S3Uri": package.quality}}},
                CustomerMetadataProperties=dict(package.properties),
                MetadataProperties={"GeneratedBy": job.arn},
                ClientToken=package.token,
            )["ModelPackageArn"]
        return arn


def open_model_registry() -> ModelRegistry:
    """The registry of the environment's account and region.

    Raises:
        ConfigError: no region is configured.
    """
    no_region = "AWS_REGION: set it to the region of the training job"
    sagemaker, s3 = (open_client(name, no_region=no_region, timeouts=_TIMEOUTS) for name in ("sagemaker", "s3"))
    return ModelRegistry(sagemaker, s3)


def _members(content: bytes, names: set[str]) -> Iterator[tuple[str, bytes]]:
    """The regular files of these names in an archive, in any folder."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if name in names and member.isfile() and member.size <= _MAX_BYTES:
                packed = archive.extractfile(member)
                if packed is not None:
                    yield name, packed.read()


def _beside(model: str, name: str) -> str:
    return f"{model.removesuffix(_MODEL)}{name}"


def _bucket_and_key(place: str) -> tuple[str, str]:
    parts = urlsplit(place)
    return parts.netloc, parts.path.lstrip("/")


@contextmanager
def _translated(subject: str) -> Iterator[None]:
    """Translate botocore's errors; `subject` is named first.

    Raises:
        UnavailableError: an outage, after the client's own attempts.
        ConfigError: AWS refuses.
        FatalError: there are no credentials.
    """
    from botocore.exceptions import (  # noqa: PLC0415 - imported on AWS only
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        ParamValidationError,
    )

    try:
        yield
    except NoCredentialsError:
        raise FatalError(f"{subject}: there are no credentials; give boto3 a role, a profile or a key") from None
    except ParamValidationError as error:
        raise ConfigError(f"{subject}: {' '.join(str(error).split())}") from None
    except BotoCoreError as error:
        raise UnavailableError(f"{subject}: {' '.join(str(error).split())}; try again") from None
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if is_outage(error):
            raise UnavailableError(f"{subject}: {code}; try again") from None
        raise ConfigError(f"{subject}: {code}: {' '.join(message.split())}") from None
