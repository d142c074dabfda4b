"""The customer's project portal: deliverables, metrics and updates."""
