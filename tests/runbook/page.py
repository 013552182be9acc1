"""docs/runbook.md is made from `runbook.md.in`: its commands are run, and their output is put in.

In the source a console block has three kinds of lines: `$ …` is a command that is run and shown,
`@ name` a step of the story (`tests/runbook/story.py`) that stages what an operator would meet and
is not shown, and `? …` an exit code other than 0 that the command before is to end with.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

SOURCE = Path(__file__).with_name("runbook.md.in")
PAGE = Path(__file__).parents[2] / "docs" / "runbook.md"
BLOCK = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
# What differs from run to run, in what a command prints.
VARYING = (
    re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?"),
    re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    re.compile(r"\b20\d\d-\d\d-\d\d\b"),
    re.compile(r"\b[\d.,]+ (?:ms|s|seconds|minutes)\b"),
    re.compile(r"\b[\w.-]+:\d+(?:/\d+)?"),  # a server, or a member: its host and process
    re.compile(r"(?<=database )\w+(?=:)"),
    re.compile(r"\b[\d,]+ rows of analytics_cache with"),  # those of nothing may be there or not
    re.compile(r"[─━┏┓┗┛┡┩└┘┌┐╇┴┬┳┻│┃]+"),
)
# On a slow machine long work tells how far it is.
PROGRESS = re.compile(r"^[\d,]+ of [\d,]+ \w+\n", re.MULTILINE)

Run = Callable[[str, int], Awaitable[str]]  # a command line and the exit code that it must have
Stage = Callable[[str], Awaitable[None]]


async def make_page(source: str, run: Run, stage: Stage) -> str:
    """The page, with what the commands printed just now."""
    page, end = "", 0
    for block in BLOCK.finditer(source):
        page += source[end : block.start()]
        shown = await _play(block[1].splitlines(), run, stage)
        if shown:
            page += f"```console\n{shown}```\n"
        end = block.end()
    return page + source[end:]


async def _play(lines: list[str], run: Run, stage: Stage) -> str:
    shown = ""
    codes = [int(after[2:]) if after.startswith("? ") else 0 for after in [*lines[1:], ""]]
    for line, code in zip(lines, codes, strict=True):
        if line.startswith("@ "):
            await stage(line[2:])
        elif line.startswith("$ "):
            printed = await run(line[2:], code)
            shown += f"{line}\n" + "".join(f"{row.rstrip()}\n" for row in printed.splitlines())
        elif not line.startswith("? "):
            raise ValueError(f"a console block has a line that is none: {line}")
    return shown


def comparable(page: str) -> list[str]:
    """The page's words without what differs from run to run; lines break elsewhere then, too."""
    page = PROGRESS.sub("", page)
    for varying in VARYING:
        page = varying.sub("…", page)
    return page.split()
