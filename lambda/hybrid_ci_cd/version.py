"""Hold the version that /health and the OpenAPI document tell."""

VERSION = "0.1.0"
