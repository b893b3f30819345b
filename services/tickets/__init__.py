"""The ticket API: tickets are created, changed, closed and deleted over HTTP, and flow into the stream."""
