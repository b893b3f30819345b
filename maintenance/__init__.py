"""Offline work on the log and the index: compare them, repair the index, and rebuild it."""
