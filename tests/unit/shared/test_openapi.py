"""What an OpenAPI document says of a body that FastAPI does not read itself."""

from pydantic import BaseModel, Field

from shared.openapi import operation, with_schemas


class Day(BaseModel):
    """A day."""

    date: str


class Week(BaseModel):
    """Several days."""

    first: Day = Field(description="Where it begins.")
    days: list[Day]


def test_a_body_of_nested_models_needs_nothing_outside_of_itself() -> None:
    schema = with_schemas(operation(body=Week))["requestBody"]["content"]["application/json"]["schema"]

    day = {
        "description": "A day.",
        "properties": {"date": {"title": "Date", "type": "string"}},
        "required": ["date"],
        "title": "Day",
        "type": "object",
    }
    assert schema["properties"] == {
        "first": day | {"description": "Where it begins."},
        "days": {"items": day, "title": "Days", "type": "array"},
    }
    assert "$" not in str(schema)


def test_what_is_no_body_stays_as_it_was() -> None:
    described = operation()

    assert with_schemas(described) == described


def test_without_a_body_only_the_request_id_is_described() -> None:
    described = operation()

    assert set(described) == {"parameters"}
    assert [parameter["name"] for parameter in described["parameters"]] == ["X-Request-ID"]
