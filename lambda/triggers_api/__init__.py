"""An inbox that external systems push events to and automation clients poll."""
