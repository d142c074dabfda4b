"""Releases of a root's functions: recorded, checked before they are live, rolled back, compared with what runs."""
