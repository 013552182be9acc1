"""`claim-analytics doctor`: what is wrong, and what to do about it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from textwrap import fill
from typing import Annotated

import typer
from pydantic import ValidationError

from service import logs
from service.cli.common import Exit, complaint, run_async
from service.operations.doctor import Finding, Level, examine
from service.operations.doctor.findings import fine, look, wrong
from service.settings import LogFormat, LogLevel, Settings, sources

AREA = "settings"
WIDEST = 100
MARKS = {Level.FINE: "ok   ", Level.LOOK: "look ", Level.WRONG: "WRONG"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Look whether everything is as it must be, and say what to do where it is not.

    It looks at the settings; at PostgreSQL (reachable, version, encoding, rights, schema) and its
    clock; at Kafka (reachable, topics and how they are set, what this user may do, lag); at dead
    letters, providers whose figures are not filled in, lists that are behind, pauses, and
    announcements; at the nightly run; at the master keys, each with a file that it must open; and
    at the report store and whose it is. It goes on after a fault, as far as what follows does not
    depend on it.

    Nothing is changed, and nothing of a patient is shown. Run it where `run` runs, with the same
    settings and as the same user.

    Exit code 1 if something is wrong. What only says `look` is for a person to judge.
    """
    found = _examined()
    is_fine = all(finding.level is not Level.WRONG for finding in found)
    if as_json:
        listed = [asdict(finding) for finding in found]
        typer.echo(json.dumps({"fine": is_fine, "findings": listed}))
    else:
        for finding in found:
            typer.echo(_line(finding))
        typer.echo(_summary(found))
    if not is_fine:
        raise typer.Exit(Exit.FAILED)


def _examined() -> Sequence[Finding]:
    try:
        warnings = [look(AREA, text) for text in sources.warnings(Settings)]
        settings = Settings()
    except sources.SettingSourceWrong as error:
        faults = [wrong(AREA, str(error))]
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        faults = [*(wrong(AREA, complaint(problem)) for problem in problems), *warnings]
    else:
        logs.configure(LogFormat.TEXT, LogLevel.INFO)
        read = fine(AREA, "they can be read")
        return [*(warnings or [read]), *run_async(examine(settings))]
    return [*faults, look(AREA, "nothing else was looked at: mend them first")]


def _line(finding: Finding) -> str:
    """Wrapped by words, and ids whole."""
    mark, text = MARKS[finding.level], f"{finding.area}: {finding.said}"
    return fill(
        text,
        WIDEST,
        initial_indent=f"{mark}  ",
        subsequent_indent=" " * 7,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(found: Sequence[Finding]) -> str:
    faults = sum(finding.level is Level.WRONG for finding in found)
    looks = sum(finding.level is Level.LOOK for finding in found)
    if faults:
        return f"{faults} of {len(found)} are wrong."
    return f"Nothing is wrong; {looks} for a person to look at." if looks else "All is fine."
