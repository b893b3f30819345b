"""Kafka: a consumer group that commits after the ack, a producer that waits for the broker, and administration."""
