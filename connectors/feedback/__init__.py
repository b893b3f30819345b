"""Stores of feedback."""
