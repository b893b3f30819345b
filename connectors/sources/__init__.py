"""Sources of files for the producer service: folders and buckets."""
