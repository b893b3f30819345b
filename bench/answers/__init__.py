"""Problems with gold answers, attacks, and the figures of the answers."""
