"""Tests of the archive's storage."""
