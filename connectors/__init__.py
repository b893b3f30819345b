"""Clients of external systems: Kafka, the vector index, files. They may import `core` and `delivery` only."""
