"""`claim-analytics settings`: every setting, its value, and where that came from."""

import json
import re
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from service.cli.common import load_settings
from service.settings import PREFIX, Settings
from service.settings.sources import values_of

MASK = "********"


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Print every setting with its value, its source and its meaning.

    Secrets are masked. A setting is an environment variable, or a line of the same form in a file
    .env in the working directory; the environment wins, and an empty value is as none. A secret
    can also stand in a file, which NAME_FILE names then.
    """
    rows = described(load_settings())
    if as_json:
        typer.echo(json.dumps({row.pop("name"): row for row in rows}, indent=2, default=str))
        return
    console = Console(highlight=False)
    for row in rows:
        value = "is not set" if row["value"] is None else f"= {row['value']}"
        console.print(Text.assemble((row["name"], "bold"), f" {value}  ({row['source']})"))
        console.print(Padding(Text(row["meaning"]), (0, 0, 0, 4), expand=False))


def described(current: Settings) -> list[dict[str, Any]]:
    """A row for each setting: name, value (masked if secret), source, meaning."""
    found = values_of(Settings)
    return [
        {
            "name": PREFIX + name.upper(),
            "value": _shown(getattr(current, name)),
            "source": found[name].source if name in found else "default",
            "meaning": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]


def _shown(value: Any) -> Any:
    if not isinstance(value, SecretStr):
        return value
    secret = value.get_secret_value()
    if "://" in secret:  # a URL: all but its password may be seen
        return re.sub(r"(://[^:/@]*):.*@", rf"\1:{MASK}@", secret)
    return MASK
