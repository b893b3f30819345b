"""Runs moto's server on the port of its argument, with the operations that the provider needs and moto lacks."""

import logging
import sys
import threading

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import EmptyResult
from moto.sagemaker.responses import SageMakerResponse
from moto.server import ThreadedMotoServer


def no_tags(_self: ApplicationAutoScalingResponse) -> str:
    """Answer that a scalable target has no tags."""
    return '{"Tags": {}}'


def delete_group(self: SageMakerResponse) -> EmptyResult:
    """Delete a model package group."""
    del self.sagemaker_backend.model_package_groups[self._get_param("ModelPackageGroupName")]
    return EmptyResult()


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ApplicationAutoScalingResponse.list_tags_for_resource = no_tags  # type: ignore[attr-defined]
    SageMakerResponse.delete_model_package_group = delete_group  # type: ignore[attr-defined]
    ThreadedMotoServer("127.0.0.1", int(sys.argv[1]), verbose=False).start()
    threading.Event().wait()
