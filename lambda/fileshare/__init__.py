"""Share files by short links, with a premium trial of thirty days."""
