"""What people run for hybrid_ci_cd: never part of its package."""
