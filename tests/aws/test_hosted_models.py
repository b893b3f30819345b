"""The Terraform module hosted_models, applied to moto by the real provider, and destroyed.

The guardrail is planned only: moto has none, and ministack returns its rules as they were sent, not as Bedrock does.
"""

from collections.abc import Iterator

import pytest

from tests.aws.roots import applied
from tests.deploy.terraform.emulators import Emulator, start_moto
from tests.deploy.terraform.hosted_models import KEY, TICKETS_KEY, calls

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An endpoint with jobs, one that captures its calls, and the registry alone."""
    folder = tmp_path_factory.mktemp("hosted")
    with (
        start_moto(folder) as emulator,
        applied(calls("./modules", guardrail=False), folder / "root", emulator.url),
    ):
        yield emulator


def test_the_endpoint_serves_the_encrypted_configuration(hosting: Emulator) -> None:
    """Each endpoint is in service, on its own configuration, whose one variant is the model in our subnets."""
    sagemaker = hosting.client("sagemaker")
    for name, machine, machines, key in (("trial", "ml.m5.large", 2, KEY), ("capturing", "ml.m5d.large", 1, None)):
        endpoint = sagemaker.describe_endpoint(EndpointName=f"{name}-encoder")
        assert endpoint["EndpointStatus"] == "InService"
        configuration = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        assert configuration.get("KmsKeyId") == key
        (variant,) = configuration["ProductionVariants"]
        assert (variant["InstanceType"], variant["InitialInstanceCount"]) == (machine, machines)
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
        assert model["PrimaryContainer"]["Image"] == "registry/encoder:0.2.0"
        assert model["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
        assert model["ExecutionRoleArn"].endswith(f":role/{name}-use1-endpoint-sagemaker")
    captured = configuration["DataCaptureConfig"]
    assert (captured["InitialSamplingPercentage"], captured["KmsKeyId"]) == (5, TICKETS_KEY)


def test_machines_are_added_by_calls(hosting: Emulator) -> None:
    """The endpoint's variant scales between its bounds, by the calls of a machine in a minute."""
    scaling = hosting.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    bounds = {each["ResourceId"]: (each["MinCapacity"], each["MaxCapacity"]) for each in targets}
    assert bounds["endpoint/trial-encoder/variant/all"] == (2, 6)
    for policy in scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]:
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        assert tracking["TargetValue"] == 600
        assert tracking["PredefinedMetricSpecification"] == {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        }


def test_label_models_have_a_group_and_containers_have_a_log(hosting: Emulator) -> None:
    """Each stack has a model package group; each endpoint has a log group, and all jobs share one, for 30 days."""
    groups = hosting.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert {each["ModelPackageGroupName"] for each in groups} == {"trial-labels", "capturing-labels", "bare-labels"}
    logs = hosting.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]
    kept = {each["logGroupName"].removeprefix("/aws/sagemaker/"): each["retentionInDays"] for each in logs}
    assert kept == {"Endpoints/trial-encoder": 30, "Endpoints/capturing-encoder": 30, "TrainingJobs": 30}
