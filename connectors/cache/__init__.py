"""The shared cache: in this process, or a Redis or Valkey server."""
