"""The vector index: versions, deletes and chunks of tickets, in an embedded Qdrant engine or on a Qdrant server."""
