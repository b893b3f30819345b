"""Label models: fitted to labelled tickets, kept in a folder, and applied by one matrix product."""
