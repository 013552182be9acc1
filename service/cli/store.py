"""`claim-analytics store`: whose the report files are."""

from typing import Annotated

import typer

from service import wiring
from service.cli.common import load_settings, run_async
from service.operations.recorded import recorded
from service.reports.ownership import StoreOwner
from service.reports.wiring import report_store
from service.settings import Settings

store = typer.Typer(no_args_is_help=True, help="The store of report files, and whose it is.")


@store.callback()
def _store() -> None:
    """A callback keeps `adopt` a command of its own, as long as it is the only one."""


@store.command()
def adopt(
    why: Annotated[
        str,
        typer.Option(
            help="The reason; it is kept in the store and in the record of actions, and logged."
        ),
    ],
) -> None:
    """Make the report store this installation's, so that it writes and deletes files there.

    Needed once for a store that has files from before stores were marked, after a restore into
    another database, and after pg_upgrade. Be sure that no other installation uses the store: it
    would stop making reports, and files without a row here go to quarantine and are then removed.
    """
    if run_async(_adopt(load_settings(), why)):
        typer.echo("The report store is this installation's now.")
    else:
        typer.echo("The report store is this installation's already; nothing was changed.")


async def _adopt(settings: Settings, why: str) -> bool:
    store = report_store(settings)
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, "store adopt", {}, why) as action,
    ):
        adopted = await StoreOwner(database, store).adopt(why)
        action.counts["adopted"] = int(adopted)
    return adopted
