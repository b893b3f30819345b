"""The running stream: batches from Kafka, through the steps, to the sinks, and back as acks. Knows no framework."""
