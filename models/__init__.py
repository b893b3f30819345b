"""The embedding model: texts in, vectors out. Knows nothing of tickets."""

import os

# ONNX Runtime sends telemetry to Microsoft as soon as it is imported, so this comes before the import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
