"""Where live is, and who moved it, on the local AWS."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from sawhorse.build.zip_writer import zip_of
from sawhorse.operate.drift.finding import Asked
from sawhorse.operate.drift.live import where_live_is
from sawhorse.operate.releases.lambdas import functions_of, look
from sawhorse.operate.releases.record import Code, Kept, Moving, Process, Record, Release, now
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.workspace import Workspace
from tests.unit.sawhorse.operate.drift.asking import asked_of, known_function


def give_half(client: Any, function: str) -> None:
    client.update_function_code(FunctionName=function, ZipFile=zip_of({"app.py": b"handler = print\n"}), Publish=True)
    client.update_alias(FunctionName=function, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})


def recorded(function: str, version: str, **more: Any) -> Record:
    code = Code(version=version, content_sha256="c", code_sha256="s")
    release = Release(id=4, functions={function: code}, commit=None, dirty=False, at=now(), by="me")
    return Record(root="dev/sample", releases=(release,), live=4, **more)


def told_of_live(asked: Asked) -> list[str]:
    """Look where live is, and return the sentences."""
    released = functions_of(asked.state)
    # What commands are called is all that is asked of it.
    workspace = SimpleNamespace(root=SimpleNamespace(name=asked.root), local=asked.local or None)
    root = ReleasedRoot(cast("Workspace", workspace), asked.state, tuple(released), cast("Kept", None))
    standings = look(asked.client, [function.name for function in released])
    found_there = list(where_live_is(root, asked, standings))
    assert all((one.kind, one.address) == ("live", "aws_lambda_function.this[0]") for one in found_there)
    return [one.sentence for one in found_there]


def test_live_that_was_moved_by_hand_is_named_as_an_apply_names_it(client: Callable[[str], Any], function: str) -> None:
    client("ssm").put_parameter(Name=f"/{function}/live", Value="latest", Type="String")
    give_half(client("lambda"), function)
    asked = asked_of(client, known_function(function))
    shared = f"live was moved by hand: {function} is at version 1, with 50% of its calls at 2, which no release left so"
    assert told_of_live(asked) == [f"{shared}; an apply would leave it"]

    client("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion="2", RoutingConfig={})
    [sentence] = told_of_live(asked)
    assert sentence.startswith(f"live was moved by hand: {function} is at version 2, its parameter says latest, ")

    # A release that is live there has put it there.
    client("ssm").put_parameter(Name=f"/{function}/live", Value="2", Type="String", Overwrite=True)
    assert told_of_live(asked_of(client, known_function(function), recorded(function, "2"))) == []
    [sentence] = told_of_live(asked_of(client, known_function(function), recorded(function, "1")))
    assert "where release 4 has 1" in sentence


def test_a_release_that_moves_live_is_named_and_not_judged(client: Callable[[str], Any], function: str) -> None:
    process = Process(host="elsewhere", pid=1, started=0)
    moving = Moving(command="release", release=4, before={}, pins={}, at=now(), by="me", process=process)
    asked = asked_of(client, known_function(function), recorded(function, "2", moving=moving))

    [sentence] = told_of_live(asked)

    assert sentence.startswith("release of me has been moving live of dev/sample since ")
