"""The embedding model: texts in, vectors out. Knows nothing of tickets."""

import os

# ONNX Runtime sends telemetry to Microsoft from its import on: switched off before that.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
