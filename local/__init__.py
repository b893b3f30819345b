"""Everything on one machine: an embedded broker, and a whole stream around it."""
