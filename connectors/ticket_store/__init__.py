"""Stores of the ticket API: SQLite and DynamoDB."""
