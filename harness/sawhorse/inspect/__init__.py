"""Tell what is in a package, how it starts, and how two differ."""
