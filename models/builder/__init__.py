"""Builds a model's graph from its weights."""
