"""The running stream, without a framework: batches from Kafka go through the steps to the sinks, and are then acked."""
