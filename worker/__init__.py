"""Puts the rooms together: from settings to a running pipeline, with no framework in it."""
