"""The commands of triggers_api, `sawhorse run ROOT COMMAND`: make an API key with scopes and an expiry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sawhorse.api import AsJson, BadConfiguration, Local, print_json, workspace_of

if TYPE_CHECKING:
    from triggers_api.scopes import Scope

DEFAULT_DAYS = 90
# Ten years, which is longer than anybody knows where a key went.
MAX_DAYS = 3650

app = typer.Typer()


@app.command("api-key")
def api_key(  # noqa: PLR0913, PLR0917 # typer makes options of them
    context: typer.Context,
    scope: Annotated[
        list[str], typer.Option(help="What it may do: write, read (and acknowledge) or delete; give it several times.")
    ],
    label: Annotated[str, typer.Option(help="What the log calls whoever uses it.")],
    days: Annotated[int | None, typer.Option(help="Days until it expires.", show_default=str(DEFAULT_DAYS))] = None,
    no_expiry: Annotated[bool, typer.Option("--no-expiry", help="It does not expire.")] = False,
    local: Local = False,
    as_json: AsJson = False,
) -> None:
    """Make an API key of triggers_api and show it once. To take one back, delete its item from the keys table."""
    from triggers_api.ops.seed import made

    scopes = known(scope)
    if not label.strip():
        raise BadConfiguration("--label is empty, and the log would not know whose key it is; give it a name.")
    if not label.isprintable():
        raise BadConfiguration("--label has characters that cannot be shown; give it a name that people can read.")
    if no_expiry and days is not None:
        raise BadConfiguration("--days and --no-expiry exclude each other; say one of them.")
    days = DEFAULT_DAYS if days is None else days
    if not 1 <= days <= MAX_DAYS:
        raise BadConfiguration(f"--days is {days}; it must be from 1 to {MAX_DAYS}, or say --no-expiry.")
    expires_at = None if no_expiry else datetime.now(UTC) + timedelta(days=days)
    lines, secrets = made(
        workspace_of(context, local=local).deployment(), label=label.strip(), scopes=scopes, expires_at=expires_at
    )
    if as_json:
        print_json({"lines": lines, "secrets": secrets})
        return
    print(*lines, *(f"{name} = {value}" for name, value in secrets.items()), sep="\n")


def known(scopes: list[str]) -> list[Scope]:
    """Return the scopes, or refuse one that no route asks for."""
    from triggers_api.scopes import SCOPES

    for scope in scopes:
        if scope not in SCOPES:
            raise BadConfiguration(f"--scope is {scope!r}; it must be {', '.join(SCOPES[:-1])} or {SCOPES[-1]}.")
    return cast("list[Scope]", scopes)
