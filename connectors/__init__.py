"""Clients of the outside world: Kafka, the vector index, files. They may use delivery, and know nobody else."""
