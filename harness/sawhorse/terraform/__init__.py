"""Render what Terraform reads, run it, and keep its states."""
