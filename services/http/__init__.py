"""What every HTTP app shares: problem details, request ids, tracing, authentication and limits."""
