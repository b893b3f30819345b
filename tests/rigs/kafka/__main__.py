"""`python -m tests.rigs.kafka` fetches the jars, and records the archive of their classes."""

import sys

import pytest

from tests.rigs.kafka.archive import quick_java
from tests.rigs.kafka.jars import jars

if __name__ == "__main__":
    try:
        quick_java(256)
        sys.stdout.write(f"Kafka's jars are in {jars()}\n")
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        sys.exit(f"kafka: {missing}")
