"""Set a machine up and look at it: interpreters, uv, Terraform and its providers, linters."""
