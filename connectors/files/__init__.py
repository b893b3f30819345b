"""Files of the user's: ticket events, customers, labelled examples."""
