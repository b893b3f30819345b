"""The Bytewax dataflows: thin adapters over a `stream.pipeline.Pipeline`. No other room imports Bytewax."""
