"""`claim-analytics erase`: a provider's or a patient's data, for good."""

import sys
from typing import Annotated
from uuid import UUID

import typer

from repositories.erasure import ErasedPatient, ErasedProvider, erase_patient, erase_provider
from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.reports.wiring import report_store
from service.settings import Settings

erase = typer.Typer(
    no_args_is_help=True,
    help="Erase a provider's or a patient's data, for good. Topics and backups are not touched:"
    " docs/operations.md says what to do there.",
)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
PHN_DIGITS = 9


@erase.command()
def provider(
    provider_id: Annotated[UUID, typer.Argument(metavar="PROVIDER_ID")], yes: Yes = False
) -> None:
    """Remove every row and file of a provider: claims, history, figures, reports."""
    if not yes:
        typer.confirm(f"Erase everything of provider {provider_id}?", abort=True)
    gone = run_async(_provider(load_settings(), provider_id))
    typer.echo(f"erased {gone.claims} claims, {gone.events} events, {gone.reports} reports")


@erase.command()
def patient(yes: Yes = False) -> None:
    """Take a patient's number out of claims and history; reports that may show it expire.

    The number is read from the terminal or from standard input, not from the command line, where
    others could see it. The next cleanup removes the files of the expired reports.
    """
    number = _number()
    if len(number) != PHN_DIGITS or not number.isdecimal() or not number.isascii():
        fail("A personal health number has nine digits.", Exit.USAGE)
    if not yes:
        typer.confirm("Take this number out of every claim?", abort=True)
    gone = run_async(_patient(load_settings(), number))
    typer.echo(
        f"erased from {gone.claims} claims and {gone.events} events; {gone.reports} reports expire"
    )


def _number() -> str:
    """Unseen from a terminal; a hidden prompt would not look at a standard input that is none."""
    if sys.stdin.isatty():
        return str(typer.prompt("Personal health number", hide_input=True))
    return sys.stdin.readline().strip()


async def _provider(settings: Settings, provider_id: UUID) -> ErasedProvider:
    async with wiring.open_database(settings) as database:
        gone = await erase_provider(database, provider_id)
    if gone.files:
        store = report_store(settings)
        for key in gone.files:
            await store.delete(key)
    return gone


async def _patient(settings: Settings, number: str) -> ErasedPatient:
    async with wiring.open_database(settings) as database:
        return await erase_patient(database, number)
