"""Checkpoints and leases of the producer service: in a SQLite file for one machine, in DynamoDB for several."""
