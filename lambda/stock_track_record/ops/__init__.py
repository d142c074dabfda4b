"""What people run for stock_track_record: never part of its package."""
