"""What people run for the sample: never part of its package."""
