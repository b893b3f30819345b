"""Tests of the credentials that are rotated."""
