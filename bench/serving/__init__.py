"""Open loads on the HTTP services, also while something that they need fails."""
