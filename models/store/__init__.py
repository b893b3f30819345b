"""A model's files: cards, weights and built artefacts, fetched, verified and kept."""
