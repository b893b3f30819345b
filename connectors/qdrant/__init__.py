"""The vector index: one policy on versions, deletes and chunks, over Qdrant in this process or on a server."""
