"""`claim-analytics keys`: the keys of report files and of archive passwords, and tokens of the
console."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import SecretStr

from service import wiring
from service.cli.common import Exit, explained, fail, load_settings, run_async
from service.http.console.tokens import Role, new_token, parse_tokens
from service.operations.recorded import recorded
from service.reports.files.keys import new_master_key, with_primary
from service.reports.files.passwords import new_private_key, with_new_key
from service.reports.rotation import rewrap_all
from service.reports.wiring import keyring, password_keys
from service.settings import Settings

keys = typer.Typer(
    no_args_is_help=True,
    help="Keys of report files and of archive passwords, and tokens of the console. Private ones"
    " are settings, kept where you keep secrets; nothing here stores them.",
)


@keys.command()
def new() -> None:
    """Print fresh keys, as settings to put where you keep secrets.

    What is set already stays behind the new ones, so that it still opens what it closed. Instances
    that know only the old master key cannot read what the new one wraps: with several of them,
    first give all of them the new key in *last* place, then this order, then run `keys rotate`.
    """
    settings = load_settings()
    with explained():
        master, private = new_master_key(datetime.now(UTC).date()), new_private_key()
        masters = with_primary(_secret(settings.report_master_keys), master)
        current = _secret(settings.report_password_keys)
        passwords = with_new_key(current, private) if current else private
    typer.echo(f"CLAIM_ANALYTICS_REPORT_MASTER_KEYS={masters}")
    typer.echo(f"CLAIM_ANALYTICS_REPORT_PASSWORD_KEYS='{passwords}'")


@keys.command()
def public() -> None:
    """Print the public key (JWK) for archive passwords.

    Whoever requests a ZIP with a password sends it as a compact JWE to this key (ECDH-ES+A256KW,
    A256GCM), so that no topic ever holds a password.
    """
    with explained():
        private = password_keys(load_settings())
    if private is None:
        fail(
            "CLAIM_ANALYTICS_REPORT_PASSWORD_KEYS is not set; `claim-analytics keys new` makes one",
            Exit.USAGE,
        )
    typer.echo(json.dumps(private.public_jwk()))


@keys.command("console-token")
def console_token(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Whose it is: it stands with what is done.")
    ],
    role: Annotated[
        Role, typer.Option(help="reader: look at everything; operator: act as well.")
    ] = Role.READER,
) -> None:
    """Print a token for the console, and the setting that lets it in.

    The token is shown this once, for its holder alone: the setting keeps a public key, from which
    nobody makes it. What is set already stays. To take a token away, take its entry out: that
    counts at once where the setting is a file, else after a restart.
    """
    present = _secret(load_settings().console_tokens)
    try:
        token, kept = new_token(name, role)
        tokens = ",".join([*(each.line for each in parse_tokens(present)), kept.line])
        parse_tokens(tokens)
    except ValueError as error:
        fail(f"No token was made for {name}: {error}.", Exit.USAGE)
    typer.echo(f"For {name} alone, to log in with: {token}\n", err=True)
    typer.echo(f"CLAIM_ANALYTICS_CONSOLE_TOKENS={tokens}")


@keys.command()
def rotate(
    why: Annotated[
        str | None, typer.Option("--why", help="The reason, for the record of actions.")
    ] = None,
) -> None:
    """Wrap the keys of all report files by the first of the master keys.

    No file is touched, workers may run. Before: every instance was restarted with the new master
    key in first place (`keys new`). Run it until it says 0: a worker that was late may have used
    the old one. Then the old key opens nothing any more, and can be taken out of the setting.
    """
    settings = load_settings()
    count = run_async(_rotate(settings, why))
    typer.echo(f"{count} file keys were wrapped anew by the first master key; no file was touched.")


def _secret(setting: SecretStr | None) -> str:
    return setting.get_secret_value() if setting else ""


async def _rotate(settings: Settings, why: str | None) -> int:
    ring = keyring(settings)
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, "keys rotate", {"to": ring.primary_id}, why) as action,
    ):
        count = await rewrap_all(database, ring)
        action.counts["file_keys"] = count
    return count
