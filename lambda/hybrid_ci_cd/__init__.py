"""The backend of a CI/CD product: sessions of its users, jobs to run, and the agents that run them."""
