"""Open-loop loads on the HTTP services, with and without a failing dependency."""
