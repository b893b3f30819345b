"""Measures how well questions find their tickets, and compares two indexes or configurations."""
