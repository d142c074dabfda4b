"""Plan roots, README examples, changes and refusals in scratch copies, and compare a plan with what is promised."""
