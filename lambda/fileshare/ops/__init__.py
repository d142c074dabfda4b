"""What people run for fileshare: never part of its package."""
