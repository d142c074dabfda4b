"""What pipelines ask, decide and tell, as commands that run on a laptop as well."""
