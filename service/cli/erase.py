"""`claim-analytics erase`: a provider's or a patient's data, for good."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from repositories.erasure import (
    ErasedPatient,
    ErasedProvider,
    Imported,
    erase_patient,
    erase_provider,
    export_erasures,
    import_erasures,
    lift_erasure,
)
from repositories.postgres.database import Database
from repositories.tombstones import ErasureList
from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.operations.erasure_lists import ErasureListError, read_erasure_list, write_erasure_list
from service.operations.recorded import recorded
from service.reports.ownership import StoreOwner
from service.reports.wiring import report_store
from service.settings import Settings

erase = typer.Typer(
    no_args_is_help=True,
    help="Erase a provider's or a patient's data, for good. What topics still hold of it is not"
    " taken in again. After a restore of the database --import makes good what it brought back.",
)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
WHY = typer.Option("--why", help="The reason, to be kept; no personal data.")
Why = Annotated[str, WHY]
PHN_DIGITS = 9


@erase.callback(invoke_without_command=True)
def lists(
    context: typer.Context,
    export_to: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write the list of erasures.")
    ] = None,
    import_from: Annotated[
        Path | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="Take such a list in, and erase again what this database has of it.",
        ),
    ] = None,
    why: Annotated[str | None, WHY] = None,
    yes: Yes = False,
) -> None:
    files = [file for file in (export_to, import_from) if file]
    if len(files) != (context.invoked_subcommand is None):
        fail("Give a command, or one of --export and --import.", Exit.USAGE)
    try:
        if export_to:
            _export(export_to)
        elif import_from:
            _import(import_from, why, yes)
    except ErasureListError as error:
        fail(str(error), Exit.USAGE)


@erase.command()
def provider(
    provider_id: Annotated[UUID, typer.Argument(metavar="PROVIDER_ID")],
    why: Why,
    lift: Annotated[
        bool, typer.Option("--lift", help="Let an erased provider's events in again.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Remove every row and file of a provider: claims, history, figures, reports.

    Its events, profiles and report requests are not taken in any more, until --lift.
    """
    settings = load_settings()
    if lift:
        _lift(settings, provider_id, why, yes)
        return
    if not yes:
        typer.confirm(f"Erase everything of provider {provider_id}?", abort=True)
    gone = run_async(_provider(settings, provider_id, why))
    typer.echo(f"erased {gone.claims} claims, {gone.events} events, {gone.reports} reports")


@erase.command()
def patient(why: Why, yes: Yes = False) -> None:
    """Take a patient's number out of claims and history; reports that may show it expire.

    The number is read from the terminal or from standard input, not from the command line, where
    others could see it. The next cleanup removes the files of the expired reports. No event brings
    a number back into these claims.
    """
    number = _number()
    if len(number) != PHN_DIGITS or not number.isdecimal() or not number.isascii():
        fail("A personal health number has nine digits.", Exit.USAGE)
    if not yes:
        typer.confirm("Take this number out of every claim?", abort=True)
    gone = run_async(_patient(load_settings(), number, why))
    typer.echo(
        f"erased from {gone.claims} claims and {gone.events} events; {gone.reports} reports expire"
    )


def _lift(settings: Settings, provider_id: UUID, why: str, yes: bool) -> None:
    if not yes:
        typer.confirm(f"Let events of provider {provider_id} in again?", abort=True)
    run_async(_lifted(settings, provider_id, why))
    typer.echo(
        "lifted: new events count again. What topics still hold comes in by a reset of offsets;"
        " lists that were exported before still erase the provider, so export anew"
    )


def _export(file: Path) -> None:
    erased = run_async(_exported(load_settings()))
    write_erasure_list(file, erased)
    typer.echo(f"exported {len(erased.tombstones)} erasures to {file}")


def _import(file: Path, why: str | None, yes: bool) -> None:
    erased = read_erasure_list(file)
    count = len(erased.tombstones)
    if not yes:
        typer.confirm(f"Erase what this database has of {count} erasures?", abort=True)
    done = run_async(_imported(load_settings(), erased, why))
    claims = done.patients.claims
    typer.echo(
        f"imported {done.added} of {count} erasures, the others were known; erased again:"
        f" {len(done.providers)} providers, patients' numbers of {claims} claims"
    )


def _number() -> str:
    """Unseen from a terminal; a hidden prompt would not look at a standard input that is none."""
    if sys.stdin.isatty():
        return str(typer.prompt("Personal health number", hide_input=True))
    return sys.stdin.readline().strip()


async def _provider(settings: Settings, provider_id: UUID, why: str) -> ErasedProvider:
    named = {"provider_id": str(provider_id)}  # the erasure takes it out of the record too
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, "erase provider", named, why) as action,
    ):
        gone = await erase_provider(database, provider_id, why)
        if gone is None:
            fail(f"No provider {provider_id} is known here, and none was erased.", Exit.NOT_FOUND)
        action.counts.update(claims=gone.claims, events=gone.events, reports=gone.reports)
        await _delete_files(settings, database, gone.files)
    return gone


async def _lifted(settings: Settings, provider_id: UUID, why: str) -> None:
    named = {"provider_id": str(provider_id)}
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, "erase provider --lift", named, why),
    ):
        if not await lift_erasure(database, provider_id):
            fail(f"No provider {provider_id} was erased here.", Exit.NOT_FOUND)


async def _patient(settings: Settings, number: str, why: str) -> ErasedPatient:
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, "erase patient", {}, why) as action,
    ):
        gone = await erase_patient(database, number, why)
        action.counts.update(vars(gone))
    return gone


async def _exported(settings: Settings) -> ErasureList:
    async with wiring.open_database(settings) as database:
        return await export_erasures(database)


async def _imported(settings: Settings, erased: ErasureList, why: str | None) -> Imported:
    listed = {"erasures": len(erased.tombstones)}
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, "erase --import", listed, why) as action,
    ):
        done = await import_erasures(database, erased)
        action.counts.update(
            added=done.added,
            providers_erased_again=len(done.providers),
            claims_emptied_again=done.patients.claims,
        )
        files = [file for gone in done.providers for file in gone.files]
        await _delete_files(settings, database, files)
    return done


async def _delete_files(settings: Settings, database: Database, files: Sequence[str]) -> None:
    if files:
        store = report_store(settings)
        await StoreOwner(database, store).confirm()
        for key in files:
            await store.delete(key)
