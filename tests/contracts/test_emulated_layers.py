"""What the harness leans on in the local Lambda's layers."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.contracts.support import ACCOUNT, Account, package, unique

SOURCE = "import tinydep\n\ndef handler(event, context):\n    return tinydep.VALUE\n"


def publish(account: Account, name: str, value: str) -> str:
    """Publish a version of a layer with one module, and return its ARN."""
    content = package({"python/tinydep.py": f"VALUE = {value!r}\n"})
    return str(
        account.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": content})["LayerVersionArn"]
    )


def test_a_function_imports_from_its_layers_and_the_last_of_them_wins(account: Account) -> None:
    first, second = publish(account, unique("layer"), "first"), publish(account, unique("layer"), "second")

    assert account.call(account.function(SOURCE, Layers=[first])) == "first"
    assert account.call(account.function(SOURCE, Layers=[second])) == "second"
    with_both = account.call(account.function(SOURCE, Layers=[first, second]))

    assert with_both == "second"


def test_a_published_version_keeps_its_layer_even_a_deleted_one(account: Account) -> None:
    functions, name = account.client("lambda"), unique("layer")
    function = account.function(SOURCE, Layers=[publish(account, name, "first")])
    version = functions.publish_version(FunctionName=function)["Version"]

    functions.update_function_configuration(FunctionName=function, Layers=[publish(account, name, "second")])
    functions.delete_layer_version(LayerName=name, VersionNumber=1)

    assert account.call(function) == "second"
    assert account.call(function, Qualifier=version) == "first"


def test_a_layer_of_this_account_that_is_not_there_is_refused(account: Account) -> None:
    there = publish(account, unique("layer"), "first")
    missing = f"{there.rpartition(':')[0]}:2"

    with pytest.raises(ClientError, match="does not exist") as refusal:
        account.function(SOURCE, Layers=[missing])

    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"
    # Another account's cannot be asked, and is taken.
    foreign = missing.replace(ACCOUNT, "753240598075")
    function = account.function(SOURCE, Layers=[foreign])
    configuration = account.client("lambda").get_function_configuration(FunctionName=function)
    assert [layer["Arn"] for layer in configuration["Layers"]] == [foreign]
