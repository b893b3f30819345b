"""Apache Kafka on this machine: its own jars under the machine's Java, one broker or a cluster of three to break."""

from tests.rigs.kafka.cluster import KafkaCluster, start_cluster
from tests.rigs.kafka.jars import java
from tests.rigs.kafka.single import PASSWORD, Kafka, start_kafka

__all__ = ["PASSWORD", "Kafka", "KafkaCluster", "java", "start_cluster", "start_kafka"]
