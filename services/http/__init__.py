"""The shared part of every HTTP app: problem details, request ids, tracing, authentication and limits."""
