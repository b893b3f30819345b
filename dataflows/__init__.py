"""The Bytewax dataflows: thin adapters over a `stream.pipeline.Pipeline`. No other package imports Bytewax."""
