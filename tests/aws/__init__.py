"""Tests of the AWS deployment on emulators, one file per box of the drawing. `make aws-test` runs them."""
