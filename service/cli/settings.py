"""`claim-analytics settings`: every setting, its value, and where that came from."""

import json
import os
import re
from typing import Annotated, Any

import typer
from dotenv import dotenv_values
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from service.cli.common import load_settings
from service.settings import PREFIX, Settings

MASK = "********"


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Print every setting with its value, its source and its meaning; secrets are masked.

    A setting is an environment variable, or a line of the same form in a file .env in the working
    directory; the environment wins.
    """
    rows = described(load_settings())
    if as_json:
        typer.echo(json.dumps({row.pop("name"): row for row in rows}, indent=2))
        return
    table = Table("setting", "value", "source", "meaning")
    for row in rows:
        table.add_row(*(str(row[column]) for column in ("name", "value", "source", "meaning")))
    Console(width=None if Console().is_terminal else 200).print(table)


def described(current: Settings) -> list[dict[str, Any]]:
    """A row for each setting: name, value (masked if secret), source, meaning."""
    return [
        {
            "name": PREFIX + name.upper(),
            "value": _shown(getattr(current, name)),
            "source": _source(PREFIX + name.upper()),
            "meaning": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]


def _source(variable: str) -> str:
    names = {name.upper() for name in os.environ}
    if variable in names:
        return "environment"
    return ".env" if variable in {name.upper() for name in dotenv_values(".env")} else "default"


def _shown(value: Any) -> Any:
    if not isinstance(value, SecretStr):
        return value
    secret = value.get_secret_value()
    if "://" in secret:  # a URL: all but its password may be seen
        return re.sub(r"(://[^:/@]*):.*@", rf"\1:{MASK}@", secret)
    return MASK
