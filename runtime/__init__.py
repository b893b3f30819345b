"""The shared runtime of every app: openers of the model, index, searcher and HTTP server; logs, metrics and traces."""
