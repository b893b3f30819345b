"""Problems with gold answers, attacks on them, and the figures of the answers that are given."""
