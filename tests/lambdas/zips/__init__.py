"""Tests of the built zips, which `make aws-test` runs."""
