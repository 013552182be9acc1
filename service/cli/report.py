"""`claim-analytics report`: the state of reports, and their files."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from repositories.generated_reports import (
    list_all_providers_reports,
    list_reports,
    provider_of_report,
    report_by_id,
)
from repositories.records import SelectGeneratedReport
from repositories.report_outcomes import Retry, retry_report
from repositories.vocabulary import ReportStatus
from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.reports.downloads import download
from service.reports.files.saving import save
from service.reports.wiring import keyring, report_store
from service.settings import Settings

report = typer.Typer(no_args_is_help=True, help="The state of reports, and their files.")

ReportId = Annotated[UUID, typer.Argument(metavar="REPORT_ID")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
HIDDEN = ("file_path",)  # for the service alone


@report.command("list")
def list_(
    provider: Annotated[UUID | None, typer.Option(help="One provider's reports only.")] = None,
    status: Annotated[ReportStatus | None, typer.Option(help="In this state only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List reports, the newest first."""
    rows = run_async(_list(load_settings(), provider, status, limit))
    if as_json:
        typer.echo(json.dumps([_plain(row) for row in rows], default=str))
        return
    table = Table("report", "type", "format", "status", "period", "created", "bytes")
    for row in rows:
        period = f"{row.period_start} – {row.period_end}" if row.period_start else ""
        created = f"{row.created_at:%Y-%m-%d %H:%M}"
        size = f"{row.file_size_bytes:,}" if row.file_size_bytes else ""
        table.add_row(
            str(row.report_id), row.report_type, row.format, row.status, period, created, size
        )
    Console(width=None if Console().is_terminal else 160).print(table)


@report.command()
def show(report_id: ReportId, as_json: AsJson = False) -> None:
    """Show what is known of one report. Exit code 5 if there is none."""
    row = run_async(_show(load_settings(), report_id))
    if as_json:
        typer.echo(json.dumps(_plain(row), default=str))
        return
    table = Table(show_header=False, box=None)
    for name, value in _plain(row).items():
        table.add_row(name, "" if value is None else str(value))
    Console().print(table)


@report.command()
def retry(report_id: ReportId) -> None:
    """Let a failed report be tried again. Exit code 5 if there is none, 1 if it cannot be."""
    outcome = run_async(_retry(load_settings(), report_id))
    if outcome is Retry.PENDING:
        typer.echo("It is pending again; a worker takes it next.")
    elif outcome is Retry.NOT_FAILED:
        fail("Only a failed report can be tried again, and this one has not failed.", Exit.FAILED)
    else:
        fail("It asks for something that does not exist; request another one.", Exit.FAILED)


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


async def _retry(settings: Settings, report_id: UUID) -> Retry:
    async with wiring.open_database(settings) as database:
        async with database.transaction() as connection:
            provider = await provider_of_report(connection, report_id)
        outcome = await retry_report(database, provider, report_id) if provider else None
    return outcome if outcome and outcome is not Retry.NOT_FOUND else _no_report(report_id)


async def _fetch(settings: Settings, provider: UUID, report_id: UUID, out: Path) -> int:
    keys, store = keyring(settings), report_store(settings)
    async with wiring.open_database(settings) as database:
        pieces = await download(database, store, keys, provider, report_id, datetime.now(UTC))
        return await save(pieces, out)


def _no_report(report_id: UUID) -> Any:
    fail(f"There is no report {report_id}.", Exit.NOT_FOUND)


def _plain(row: SelectGeneratedReport) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name not in HIDDEN}
