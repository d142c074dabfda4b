"""Let the emulator describe what it keeps as AWS does, where a second plan would else find something to change.

Imported by the emulator's own process, so it needs the standard library alone. Each addition has a contract in
`tests/contracts/test_emulated_descriptions.py`, which says when an upgrade of MiniStack makes it needless.
"""

from typing import Any

OK = 200
NO_CAPACITY = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}


def describe_as_aws_does(tables: Any, rest: Any) -> None:
    """Change the emulator's modules; there is no other place between what is kept and what is told of it."""
    take_capacity_from_indexes_on_demand(tables)
    say_nothing_of_access_logs_that_are_not_written(rest)


def take_capacity_from_indexes_on_demand(tables: Any) -> None:
    """Let the indexes of a table that turns to on demand have no capacity; MiniStack 1.5.33 lets them keep it.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ProvisionedThroughput.html
    """
    update = tables._update_table

    def updated(request: dict[str, Any]) -> Any:
        response = update(request)
        if request.get("BillingMode") != "PAY_PER_REQUEST" or response[0] != OK:
            return response
        name = tables._normalize_table_name(request["TableName"])
        for index in tables._tables[name].get("GlobalSecondaryIndexes", []):
            index["ProvisionedThroughput"] = dict(NO_CAPACITY)
        return tables.json_response({"TableDescription": tables._table_description(name)})

    tables._update_table = updated


def say_nothing_of_access_logs_that_are_not_written(rest: Any) -> None:
    """Leave out of a REST API's stage the settings of access logs that it has not; MiniStack 1.5.33 has empty ones.

    https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html
    """
    respond = rest._v1_response

    def responded(told: Any, *of: Any, **options: Any) -> Any:
        if isinstance(told, dict) and isinstance(told.get("item"), list):
            told = {**told, "item": [without_empty_logs(one) for one in told["item"]]}
        return respond(without_empty_logs(told), *of, **options)

    rest._v1_response = responded


def without_empty_logs(told: Any) -> Any:
    if not isinstance(told, dict) or told.get("accessLogSettings") != {}:
        return told
    return {name: value for name, value in told.items() if name != "accessLogSettings"}
