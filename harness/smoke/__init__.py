"""Check over HTTP, after an apply, that an app does what its operators count on: on AWS and on the local AWS alike."""
