"""Inference: texts in, vectors out. Never sees a ticket."""

import os

# ONNX Runtime reports to its maker over the network, from the import on. Nothing of ours is to leave unasked.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
