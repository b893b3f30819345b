"""Inference: texts in, vectors out."""
