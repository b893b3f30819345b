"""HTTP. Handlers take what they serve as arguments and know core only."""
