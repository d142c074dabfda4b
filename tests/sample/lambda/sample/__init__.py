"""The sample: an app that keeps notes, small, and nobody's."""
