"""What every app shares: openers of the model, index, searcher and HTTP server; logs, metrics and traces."""
