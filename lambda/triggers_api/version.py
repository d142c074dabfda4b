"""Hold the version that /v1/health and the OpenAPI document tell."""

VERSION = "1.0.0"
