"""Hold the version that /api/health and the OpenAPI document tell."""

VERSION = "1.0.0"
