"""A whole stream on one machine: a local broker, a worker and the services."""
