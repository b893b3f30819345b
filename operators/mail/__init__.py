"""Finds the author's own text in a mail, without history, headers and signatures. Works on lines of text only."""
