"""A training job's label model is registered with its figures, once, and waits for approval."""

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any, Final

import boto3
import msgspec
import pytest
from moto import mock_aws

from connectors.model_registry import ModelRegistry
from core.errors import ConfigError
from maintenance.registering import register_job
from maintenance.training_report import QUALITY, REPORT, TrainingReport, model_quality
from models.labels.report import KindReport, LabelReport

_REGION: Final = "eu-central-1"
_BUCKET: Final = "models"
_JOB: Final = "labels-2026-01"
_GROUP: Final = "labels"
_OUTPUT: Final = f"trained/{_JOB}/output"
_MODEL: Final = f"s3://{_BUCKET}/{_OUTPUT}/model.tar.gz"
_CARD: Final = LabelReport(label="card", tickets=100, given=80, right=76, threshold=0.7)
_CATEGORY: Final = KindReport(
    kind="category", tickets=100, accuracy=0.9, ece=0.02, coverage=0.8, precision=0.95, labels=(_CARD,)
)
_REPORT: Final = TrainingReport("labels/0123", "hashing/1", 0.95, 3, [_CATEGORY], [], {"priority": "too few"})


def packed(**files: bytes) -> bytes:
    """A .tar.gz of files, by their names."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def output() -> bytes:
    """The output.tar.gz of a job."""
    return packed(**{REPORT: msgspec.json.encode(_REPORT), QUALITY: model_quality(_REPORT)})


class _Calls:
    """A client that keeps the tokens of the calls that register a model."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.tokens: list[str] = []

    def describe_training_job(self, **request: Any) -> Any:
        return self._client.describe_training_job(**request)

    def create_model_package(self, **request: Any) -> Any:
        self.tokens.append(request["ClientToken"])
        return self._client.create_model_package(**request)


@pytest.fixture
def aws() -> Iterator[tuple[Any, Any]]:
    """SageMaker with a completed job and a group, and S3 with the job's output."""
    with mock_aws():
        sagemaker, s3 = boto3.client("sagemaker", region_name=_REGION), boto3.client("s3", region_name=_REGION)
        s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": _REGION})
        s3.put_object(Bucket=_BUCKET, Key=f"{_OUTPUT}/output.tar.gz", Body=output())
        create_job(sagemaker)
        sagemaker.create_model_package_group(ModelPackageGroupName=_GROUP, ModelPackageGroupDescription="Labels")
        yield sagemaker, s3


def create_job(sagemaker: Any) -> None:
    """Create the training job, which moto completes at once."""
    sagemaker.create_training_job(
        TrainingJobName=_JOB,
        AlgorithmSpecification={"TrainingImage": "registry/encoder:0.2.0", "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::123456789012:role/training",
        OutputDataConfig={"S3OutputPath": f"s3://{_BUCKET}/trained"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )


def test_a_model_is_registered_with_its_figures(aws: tuple[Any, Any]) -> None:
    """The registry names the model, the image and the figures, and the model isn't approved yet."""
    sagemaker, s3 = aws
    found = register_job(ModelRegistry(sagemaker, s3), _JOB, group=_GROUP)
    assert (found.model, found.report) == (_MODEL, _REPORT)
    package = sagemaker.describe_model_package(ModelPackageName=found.arn)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["ModelPackageVersion"] == 1
    assert package["InferenceSpecification"]["Containers"] == [
        {"Image": "registry/encoder:0.2.0", "ModelDataUrl": _MODEL}
    ]
    properties = package["CustomerMetadataProperties"]
    assert properties["stamp"] == "labels/0123"
    assert (properties["category_accuracy"], properties["category_precision"]) == ("0.9000", "0.9500")
    place = package["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert place == {"ContentType": "application/json", "S3Uri": f"s3://{_BUCKET}/{_OUTPUT}/{QUALITY}"}
    quality = json.loads(s3.get_object(Bucket=_BUCKET, Key=f"{_OUTPUT}/{QUALITY}")["Body"].read())
    figures = quality["multiclass_classification_metrics"]
    assert figures["category_accuracy"] == {"value": 0.9, "standard_deviation": pytest.approx(0.03)}
    assert figures["category_precision"]["standard_deviation"] == pytest.approx((0.95 * 0.05 / 80) ** 0.5)


def test_a_repeated_registration_has_the_same_token(aws: tuple[Any, Any]) -> None:
    """SageMaker registers a token once, so a repeated command adds no version; another group is another token."""
    sagemaker, s3 = aws
    sagemaker.create_model_package_group(ModelPackageGroupName="other", ModelPackageGroupDescription="Others")
    calls = _Calls(sagemaker)
    registry = ModelRegistry(calls, s3)
    for group in (_GROUP, _GROUP, "other"):
        register_job(registry, _JOB, group=group)
    first, again, other = calls.tokens
    assert first == again != other
    assert len(first) <= 36


@pytest.mark.parametrize(
    ("job", "group", "message"),
    [
        ("none", _GROUP, "^training job none: "),
        (_JOB, "none", "^model package group none: "),
        ("a job", _GROUP, "^training job a job: "),
    ],
)
def test_an_unknown_name_is_one_line(aws: tuple[Any, Any], job: str, group: str, message: str) -> None:
    """The line names the job or the group."""
    with pytest.raises(ConfigError, match=message) as raised:
        register_job(ModelRegistry(*aws), job, group=group)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, f"^s3://models/{_OUTPUT}/output.tar.gz: NoSuchKey"),
        (b"", "is not a readable archive"),
        (output()[:-40], "is not a readable archive"),
        (packed(other=b"{}"), f"has no {REPORT}; was the job one of `services.encoder train`"),
        (packed(**{REPORT: b"[]", QUALITY: b"{}"}), f"{REPORT} isn't one of `services.encoder train`"),
    ],
)
def test_a_job_of_something_else_is_refused(aws: tuple[Any, Any], content: bytes | None, message: str) -> None:
    """A job without our figures registers nothing."""
    sagemaker, s3 = aws
    key = f"{_OUTPUT}/output.tar.gz"
    if content is None:
        s3.delete_object(Bucket=_BUCKET, Key=key)
    else:
        s3.put_object(Bucket=_BUCKET, Key=key, Body=content)
    with pytest.raises(ConfigError, match=message):
        register_job(ModelRegistry(sagemaker, s3), _JOB, group=_GROUP)
    assert sagemaker.list_model_packages(ModelPackageGroupName=_GROUP)["ModelPackageSummaryList"] == []


class _Failed:
    """SageMaker with a job that isn't completed."""

    def __init__(self, **job: object) -> None:
        self._job = job

    def describe_training_job(self, **_: object) -> dict[str, object]:
        return {"TrainingJobArn": "arn", "AlgorithmSpecification": {}, **self._job}


def test_only_a_completed_job_has_a_model() -> None:
    """The line says why: the state of the job, and the reason of its failure."""
    failed = _Failed(TrainingJobStatus="Failed", FailureReason="AlgorithmError: no channel\ntrain")
    with pytest.raises(ConfigError, match=r"^training job x is Failed: AlgorithmError: no channel train$"):
        ModelRegistry(failed, None).completed_job("x")
    running = _Failed(TrainingJobStatus="InProgress")
    with pytest.raises(ConfigError, match=r"^training job x is InProgress: only a completed job has a model$"):
        ModelRegistry(running, None).completed_job("x")
    loose = _Failed(TrainingJobStatus="Completed", ModelArtifacts={"S3ModelArtifacts": "s3://models/x/output/model"})
    with pytest.raises(ConfigError, match=r"^training job x has no model.tar.gz; create it with the compression type"):
        ModelRegistry(loose, None).completed_job("x")
