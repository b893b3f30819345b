"""Openers and surroundings that every app shares: model, index, searcher, metrics, logs, trace and HTTP server."""
