"""Where the ticket API keeps tickets: SQLite, or DynamoDB."""
