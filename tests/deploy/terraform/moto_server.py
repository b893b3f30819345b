"""Runs moto's server on the port of its argument, with one operation that the provider needs and moto lacks."""

import logging
import sys
import threading

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.server import ThreadedMotoServer


def no_tags(_self: ApplicationAutoScalingResponse) -> str:
    """Answer that a scalable target has no tags."""
    return '{"Tags": {}}'


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ApplicationAutoScalingResponse.list_tags_for_resource = no_tags  # type: ignore[attr-defined]
    ThreadedMotoServer("127.0.0.1", int(sys.argv[1]), verbose=False).start()
    threading.Event().wait()
