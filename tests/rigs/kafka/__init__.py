"""Apache Kafka on this machine: one broker, or a cluster of three with fault injection."""

from tests.rigs.kafka.cluster import KafkaCluster, start_cluster
from tests.rigs.kafka.jars import java
from tests.rigs.kafka.single import PASSWORD, Kafka, start_kafka

__all__ = ["PASSWORD", "Kafka", "KafkaCluster", "java", "start_cluster", "start_kafka"]
