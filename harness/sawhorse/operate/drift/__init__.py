"""Look for what somebody changed since the last apply: by a plan, by the code behind `live`, and by what plans miss."""
