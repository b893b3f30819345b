"""The workflow of a new ticket: the functions that start it, and its steps, which the state machine calls in order."""
