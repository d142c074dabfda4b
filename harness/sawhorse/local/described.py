"""Let the emulator describe what it keeps as AWS does, where a second plan or a look for drift would else be wrong.

Imported by the emulator's own process, so it needs the standard library alone. Each addition has a contract in
`tests/contracts/test_emulated_descriptions.py`, which says when an upgrade of MiniStack makes it needless.
"""

from typing import Any

OK = 200
NO_CAPACITY = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}


def describe_as_aws_does(tables: Any, rest: Any, functions: Any) -> None:
    """Change the emulator's modules; there is no other place between what is kept and what is told of it."""
    take_capacity_from_indexes_on_demand(tables)
    say_nothing_of_access_logs_that_are_not_written(rest)
    list_workers_that_are_kept_warm(functions)


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


def list_workers_that_are_kept_warm(functions: Any) -> None:
    """List the provisioned concurrency of all versions and aliases of a function; MiniStack 1.5.33 knows no list.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html
    """
    get = functions._get_provisioned_concurrency

    def get_or_list(name: str, qualifier: str | None) -> Any:
        # That of one is asked for with a qualifier alone.
        if qualifier or name not in functions._functions:
            return get(name, qualifier)
        kept = functions._functions[name].get("provisioned_concurrency", {})
        configs = [{"FunctionArn": f"{functions._func_arn(name)}:{key}", **config} for key, config in kept.items()]
        return functions.json_response({"ProvisionedConcurrencyConfigs": configs})

    functions._get_provisioned_concurrency = get_or_list
