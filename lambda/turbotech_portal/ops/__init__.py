"""What people run for turbotech_portal: never part of its package."""
