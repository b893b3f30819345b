"""The workflow on AWS: its state machine, and the queue of failed executions."""
