"""`claim-analytics report`: the state of reports, and their files."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from repositories.records import SelectGeneratedReport
from repositories.reports.generated_reports import (
    list_all_providers_reports,
    list_reports,
    provider_of_report,
    report_by_id,
)
from repositories.reports.outcomes import Retry
from repositories.vocabulary import ReportStatus
from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.operations.recorded import recorded
from service.reports.cleanup import Cleaned, CleanupPaused, clean
from service.reports.downloads import download, save
from service.reports.retrying import NotRetried, retry_by_operator
from service.reports.wiring import cleanup_policy, keyring, report_store
from service.settings import Settings

report = typer.Typer(no_args_is_help=True, help="The state of reports, and their files.")

ReportId = Annotated[UUID, typer.Argument(metavar="REPORT_ID")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
Why = Annotated[str | None, typer.Option("--why", help="The reason, for the record of actions.")]
HIDDEN = ("file_path",)  # for the service alone


@report.command("list")
def list_(
    provider: Annotated[UUID | None, typer.Option(help="One provider's reports only.")] = None,
    status: Annotated[ReportStatus | None, typer.Option(help="In this state only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List reports, the newest first.

    To fetch one: claim-analytics report fetch REPORT --provider PROVIDER --out FILE
    """
    rows = run_async(_list(load_settings(), provider, status, limit))
    if as_json:
        typer.echo(json.dumps([_plain(row) for row in rows], default=str))
        return
    # Two lines each, so that both ids, which `fetch` asks for, are whole on 80 columns.
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("report\nprovider", "type, format\nperiod", "status, kB\ncreated (UTC)"):
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(
            f"{row.report_id}\n{row.provider_id}",
            f"{row.report_type} {row.format}\n{_period(row)}",
            f"{row.status}{_kilobytes(row)}\n{row.created_at.astimezone(UTC):%Y-%m-%d %H:%M}",
        )
    _print(table)


@report.command()
def show(report_id: ReportId, as_json: AsJson = False) -> None:
    """Show what is known of one report. Exit code 5 if there is none."""
    row = run_async(_show(load_settings(), report_id))
    if as_json:
        typer.echo(json.dumps(_plain(row), default=str))
        return
    table = Table.grid(padding=(0, 2))
    for name, value in _plain(row).items():
        table.add_row(name, "" if value is None else str(value))
    _print(table)


@report.command()
def retry(report_id: ReportId, why: Why = None) -> None:
    """Let a report be tried again that failed, or whose file is not in the store any more.

    Exit code 5 if there is none, 1 if it cannot be.
    """
    run_async(_retry(load_settings(), report_id, why))
    typer.echo("It is pending again; a worker takes it next.")


@report.command()
def cleanup(
    confirm: Annotated[
        bool,
        typer.Option("--confirm", help="The database's clock is right, however many expire."),
    ] = False,
    why: Why = None,
) -> None:
    """Do now what `run` does now and then: expire reports, remove files that are over.

    With --confirm also where `run` has paused, because a clock may have jumped: look at both
    clocks first. Exit code 1 if it pauses.
    """
    done = run_async(_cleanup(load_settings(), confirm, why))
    if isinstance(done, CleanupPaused):
        fail(f"Nothing was removed: {done}.", Exit.FAILED)
    typer.echo(
        f"{done.expired} reports expired, {done.quarantined} files without a row went to"
        f" quarantine, {done.removed} files were removed"
    )


@report.command()
def fetch(
    report_id: ReportId,
    provider: Annotated[UUID, typer.Option(help="Whose report it is.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist yet.")],
) -> None:
    """Download a report, decrypted, as its physician would.

    The file appears when it is complete and authentic. Exit codes: 5 there is no such report for
    this provider, or it is not ready; 6 its time is over; 1 the file is damaged.
    """
    if out.exists():
        fail(f"{out} exists already and was left as it is.", Exit.USAGE)
    size = run_async(_fetch(load_settings(), provider, report_id, out))
    typer.echo(f"{out}: {size:,} bytes")


async def _list(
    settings: Settings, provider: UUID | None, status: ReportStatus | None, limit: int
) -> Sequence[SelectGeneratedReport]:
    async with wiring.open_database(settings) as database, database.transaction() as connection:
        if provider:
            return await list_reports(connection, provider, status=status, limit=limit)
        return await list_all_providers_reports(connection, status=status, limit=limit)


async def _show(settings: Settings, report_id: UUID) -> SelectGeneratedReport:
    async with wiring.open_database(settings) as database, database.transaction() as connection:
        provider = await provider_of_report(connection, report_id)
        row = await report_by_id(connection, provider, report_id) if provider else None
    return row or _no_report(report_id)


async def _retry(settings: Settings, report_id: UUID, why: str | None) -> None:
    async with wiring.open_database(settings) as database:
        try:
            await retry_by_operator(settings, database, report_id, why)
        except NotRetried as refused:
            not_found = refused.outcome is Retry.NOT_FOUND
            fail(str(refused), Exit.NOT_FOUND if not_found else Exit.FAILED)


async def _cleanup(settings: Settings, confirmed: bool, why: str | None) -> Cleaned | CleanupPaused:
    store, policy = report_store(settings), cleanup_policy(settings)
    async with wiring.open_database(settings) as database:
        if confirmed:
            async with recorded(settings, database, "report cleanup --confirm", {}, why) as action:
                done = await clean(database, store, policy, confirmed=True)
                action.counts.update(vars(done))
            return done
        try:
            return await clean(database, store, policy)
        except CleanupPaused as paused:
            return paused


async def _fetch(settings: Settings, provider: UUID, report_id: UUID, out: Path) -> int:
    keys, store = keyring(settings), report_store(settings)
    named = {"report_id": str(report_id), "provider_id": str(provider)}
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, "report fetch", named, None) as action,
    ):
        pieces = await download(database, store, keys, provider, report_id)
        size = await save(pieces, out)
        action.counts["bytes"] = size
    return size


def _period(row: SelectGeneratedReport) -> str:
    return f"{row.period_start} – {row.period_end}" if row.period_start else "everything"


def _kilobytes(row: SelectGeneratedReport) -> str:
    """Rounded up, once there is a file."""
    return f", {-(-row.file_size_bytes // 1000):,}" if row.file_size_bytes else ""


def _print(table: Table) -> None:
    Console(highlight=False).print(table)


def _no_report(report_id: UUID) -> NoReturn:
    fail(f"There is no report {report_id}.", Exit.NOT_FOUND)


def _plain(row: SelectGeneratedReport) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name not in HIDDEN}
