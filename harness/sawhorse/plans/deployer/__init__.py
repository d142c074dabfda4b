"""What the role that deploys a root may do, made of what the root's plan makes."""
