"""The producer service: follows files and objects, and writes the ticket events in them to the topic."""
