"""Parts that any FastAPI application on Lambda can use unchanged."""
