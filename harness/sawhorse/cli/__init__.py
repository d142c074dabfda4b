"""The `sawhorse` command, a file for each group of commands."""
