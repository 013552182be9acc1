"""Writes `docs/contracts` from the models: `python -m consumers.contracts.generate [--check]`."""

import argparse
import json
import sys
from pathlib import Path

from consumers.contracts.asyncapi import asyncapi_document, schema_file
from consumers.contracts.registry import READ_CONTRACTS, SENT_CONTRACTS

DIRECTORY = Path(__file__).parents[2] / "docs" / "contracts"


def generated_files() -> dict[str, str]:
    """The text of every generated file by its path below the directory."""
    documents = {
        f"schemas/{contract.event.name}.json": schema_file(contract)
        for contract in (*READ_CONTRACTS, *SENT_CONTRACTS)
    }
    documents["asyncapi.json"] = asyncapi_document()
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


def drifted(directory: Path) -> list[str]:
    """The generated files that are not what the models say, and schemas of no model."""
    files = generated_files()
    present = {f"schemas/{path.name}" for path in (directory / "schemas").glob("*.json")}
    return sorted(
        name
        for name in files.keys() | present
        if not (directory / name).is_file()
        or (directory / name).read_text("utf-8") != files.get(name)
    )


def write(directory: Path) -> None:
    for name, text in generated_files().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m consumers.contracts.generate",
        description="Writes the JSON Schemas and the AsyncAPI document from the data models.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on drift")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="default: %(default)s")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.directory)
    differing = drifted(options.directory)
    if differing:
        sys.stderr.write(_complaint(options.directory, differing))
    return 1 if differing else 0


def _complaint(directory: Path, differing: list[str]) -> str:
    return (
        f"In {directory} these files are not what the models say: {', '.join(differing)}.\n"
        "Run `python -m consumers.contracts.generate`, look at what changed, and keep it; "
        "delete a schema whose event is gone.\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
