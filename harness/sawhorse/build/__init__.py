"""Build the zip that Lambda runs: the same bytes for the same sources, on any machine."""
