"""The running stream, without a framework: batches from Kafka pass through the steps to the sinks, then are acked."""
