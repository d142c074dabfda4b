"""Start moto behind a guard, with the responses about tags that it lacks for Application Auto Scaling.

The AWS provider asks for a scalable target's tags and tries again for minutes when nobody knows them (moto 5.2.5).
Run as `moto_server.py SECRETS SOCKET`: the file of this start, and the number of the socket to listen on.
"""

import json
import os
import socket
import sys
from pathlib import Path
from typing import ClassVar

from moto.applicationautoscaling import responses
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

# This file's directory is no place to import from.
sys.path[0] = str(Path(__file__).resolve().parents[2])
from sawhorse.local import guard as guarding  # noqa: E402


class TaggedResponse(responses.ApplicationAutoScalingResponse):  # type: ignore[misc] # moto lies in another environment
    """Application Auto Scaling that remembers the tags of its targets."""

    # Moto makes one response object a request.
    tags_by_arn: ClassVar[dict[str, dict[str, str]]] = {}

    def register_scalable_target(self) -> str:
        response: str = super().register_scalable_target()
        self._tags_of(json.loads(response)["ScalableTargetARN"]).update(self._get_param("Tags") or {})
        return response

    def list_tags_for_resource(self) -> str:
        return json.dumps({"Tags": self._tags_of(self._get_param("ResourceARN"))})

    def tag_resource(self) -> str:
        self._tags_of(self._get_param("ResourceARN")).update(self._get_param("Tags") or {})
        return "{}"

    def untag_resource(self) -> str:
        for key in self._get_param("TagKeys") or []:
            self._tags_of(self._get_param("ResourceARN")).pop(key, None)
        return "{}"

    def _tags_of(self, arn: str) -> dict[str, str]:
        return self.tags_by_arn.setdefault(arn, {})


def main() -> None:
    secrets_file, number = sys.argv[1:]
    # Moto's routes look the class up in its module when the server starts.
    responses.ApplicationAutoScalingResponse = TaggedResponse
    listener = socket.socket(fileno=int(number))
    host, port = listener.getsockname()
    os.environ["MOTO_PORT"] = str(port)
    guard = guarding.Guard("moto", port, guarding.Secrets.of(Path(secrets_file)), controls=("/_", "/moto-api"))
    app = guarding.guarded_wsgi(DomainDispatcherApplication(create_backend_app), guard)
    server = make_server(host, port, app, threaded=True, request_handler=MotoRequestHandler, fd=listener.detach())
    server.serve_forever()


if __name__ == "__main__":
    main()
