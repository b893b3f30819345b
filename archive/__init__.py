"""The raw archive: every record of a topic in compressed files with a manifest, each offset exactly once."""
