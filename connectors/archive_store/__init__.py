"""Storage of the raw archive: a folder, or an S3 bucket."""
