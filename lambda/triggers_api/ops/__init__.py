"""What people run for triggers_api: never part of its package."""
