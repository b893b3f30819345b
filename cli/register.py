"""`ticketstream model register`: put the label model of a SageMaker training job into SageMaker's model registry."""

from typing import Annotated

import typer

from cli.console import JsonFlag, err, out, print_json, report_errors
from connectors.model_registry import open_model_registry
from maintenance.registering import register_job
from models.labels.artefact import SETTING


@report_errors
def register(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Name of a completed training job.")],
    *,
    group: Annotated[str, typer.Option(metavar="GROUP", help="Model package group to register it in.")],
    as_json: JsonFlag = False,
) -> None:
    """Register the label model of a SageMaker training job, with its figures, as pending approval.

    Repeating the command registers the model once. boto3 takes region and credentials from the environment; they need
    sagemaker:DescribeTrainingJob, sagemaker:CreateModelPackage, and s3:GetObject and s3:PutObject on the job's output.

    [dim]ticketstream model register labels-2026-01 --group ticketstream-prod-labels[/]
    """
    found = register_job(open_model_registry(), job, group=group)
    if as_json:
        print_json(found)
        return
    for name, (value, _) in found.report.figures().items():
        out.print(f"{name} {value:.4f}")
    err.print(f"{found.arn} waits for approval", soft_wrap=True)
    err.print(f"once it is approved, set {SETTING}={found.model} and restart the workers", soft_wrap=True)
