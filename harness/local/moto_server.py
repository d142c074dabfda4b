"""Start moto with the answers about tags that it lacks for Application Auto Scaling.

The AWS provider asks for a scalable target's tags and tries again for minutes when nobody knows them (moto 5.2.5).
"""

import json
import sys
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.server import main as serve


class TaggedResponse(ApplicationAutoScalingResponse):  # type: ignore[misc] # moto lies in another environment
    """Application Auto Scaling that remembers the tags of its targets."""

    tags_by_arn: dict[str, dict[str, str]] = {}  # noqa: RUF012 # moto makes one response object a request

    def register_scalable_target(self) -> str:
        answer: str = super().register_scalable_target()
        self._tags_of(json.loads(answer)["ScalableTargetARN"]).update(self._get_param("Tags") or {})
        return answer

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


def add_tag_answers(responses: Any) -> None:
    """Let moto's routes use the class above: they look the response class up in its module when the server starts."""
    responses.ApplicationAutoScalingResponse = TaggedResponse


if __name__ == "__main__":
    from moto.applicationautoscaling import responses

    add_tag_answers(responses)
    sys.exit(serve(sys.argv[1:]))
