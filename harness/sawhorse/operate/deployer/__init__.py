"""The roles that deploy roots: what each may do, and how an administrator makes them."""
