"""Track records of channels that pick stocks: what they recommended, and how it went."""
