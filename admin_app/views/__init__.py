"""One page a module: layout only."""
