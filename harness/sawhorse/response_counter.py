"""Count the responses that the clients of a deployment get, so that a check cannot pass when nothing was asked."""

from __future__ import annotations

import threading
from typing import Any


class Calls:
    """How many responses came so far, from the app's API and from AWS; a call without a response counts for nothing."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.responses = 0

    def responded(self, *_: object) -> None:
        """Count a response of the API, as a hook of httpx."""
        with self.lock:
            self.responses += 1

    def aws_responded(self, *, response_dict: object = None, **_: object) -> None:
        """Count a response of AWS, as a hook of botocore, which also calls it when none came."""
        if response_dict is not None:
            self.responded()

    def counting(self, client: Any) -> Any:
        """Return a boto3 client whose responses are counted."""
        client.meta.events.register("response-received", self.aws_responded)
        return client
