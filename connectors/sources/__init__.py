"""Where the producer service finds files: folders and buckets."""
