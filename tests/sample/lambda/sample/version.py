"""Hold the version that /api/health tells."""

VERSION = "1.0.0"
