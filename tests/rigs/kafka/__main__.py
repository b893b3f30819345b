"""`python -m tests.rigs.kafka` fetches the jars."""

import sys

from tests.rigs.kafka.jars import jars

if __name__ == "__main__":
    sys.stdout.write(f"Kafka's jars are in {jars()}\n")
