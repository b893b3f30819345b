"""The graphs, and the only room that knows Bytewax: thin adapters over a `stream.pipeline.Pipeline`."""
