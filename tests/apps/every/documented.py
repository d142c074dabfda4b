"""Call an operation of an application with what its OpenAPI document describes, and check every response against it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import negative_data_rejection, positive_data_acceptance

POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
# Whether good values are taken and bad ones refused: no schema can say which texts are cursors of ours, which ids are
# there or which day is past, and a query parameter that nobody knows is ignored.
UNSAYABLE = (positive_data_acceptance, negative_data_rejection)
Case = schemathesis.Case[Any]


def assert_does_as_documented(  # noqa: PLR0913 # an operation, and how it is called
    app: FastAPI,
    method: str,
    path: str,
    mode: GenerationMode,
    *,
    examples: int,
    headers: Mapping[str, str] | None = None,
    excluded: Sequence[Any] = UNSAYABLE,
    fits: Callable[[Case], bool] = lambda _: True,
) -> None:
    """Send so many cases of an operation, of those that fit, and check what comes back but for what is excluded."""
    # Its pytest plugin reads a private attribute that pytest 9.2 no longer has, so we drive the checks ourselves.
    described = schemathesis.openapi.from_asgi("/openapi.json", app)[path][method.upper()]

    @settings(
        deadline=None,
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        assume(fits(case))
        case.call_and_validate(headers=dict(headers or {}), excluded_checks=list(excluded))

    check()
