"""The running stream, without a framework: batches from Kafka pass the steps, go to the sinks and return as acks."""
