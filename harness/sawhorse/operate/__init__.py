"""Do what operators do with what was applied: seed, smoke-check, serve, redrive, demonstrate."""
