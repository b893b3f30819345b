"""Credentials that can be rotated: secrets in Secrets Manager, and the servers that accept them."""
