"""What the author of a mail wrote, apart from history, headers and signatures. Knows lines of text only."""
