"""Personal data and secrets in text: one module per family of kinds, each a list of detectors."""
