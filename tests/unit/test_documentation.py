"""What the documentation points at is there."""

import importlib
import re
from functools import reduce

import pytest
from pydantic import BaseModel
from typer.main import get_group

from consumers.contracts.refusal import DeadLetterReason
from consumers.contracts.registry import READ_CONTRACTS, Contract
from repositories.schema import metadata
from service.cli.app import build_app
from service.cli.common import Exit
from tests.unit.project_files import ROOT, files_like, project_files
from tests.unit.test_project import TARGETS

DOCUMENTS = files_like(".md")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
IN_THE_TREE = re.compile(
    r"`((?:consumers|docs|migrations|repositories|service|tests|\.ci)/[\w./-]*[\w/]|[A-Z]\w+\.md)(?::([\w.]+))?`"
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files_and_headings_that_are_there(document: str) -> None:
    folder = (ROOT / document).parent
    for link in LINK.findall(CODE_BLOCK.sub("", DOCUMENTS[document])):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (folder / path).resolve() if path else ROOT / document
        assert target.exists(), link
        assert not heading or heading in _headings(target.read_text("utf-8")), link


def _headings(text: str) -> set[str]:
    """As the anchors of links spell them."""
    titles = re.findall(r"^#+ (.+)$", CODE_BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_code_that_is_named_is_there(document: str) -> None:
    """`path/to/module.py:Class.method` names what is in it."""
    for path, name in IN_THE_TREE.findall(DOCUMENTS[document]):
        assert (ROOT / path).exists(), path
        if name:
            module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
            reduce(getattr, name.split("."), module)


def test_the_index_names_every_document() -> None:
    index = LINK.findall(DOCUMENTS["docs/README.md"])
    others = {
        name.removeprefix("docs/") for name in DOCUMENTS if re.fullmatch(r"docs/[^/]+\.md", name)
    }
    assert others - {"README.md"} <= set(index)


def test_the_readme_explains_every_command_and_every_exit_code() -> None:
    readme = DOCUMENTS["README.md"]
    commands = get_group(build_app([])).commands
    rows = re.findall(r"^\| `?(\w+)", readme, re.MULTILINE)
    assert [command for command in commands if command not in rows] == []
    assert [code for code in Exit if str(code.value) not in rows] == []


def test_what_make_is_told_in_the_documents_it_can_do() -> None:
    told = {
        t
        for text in DOCUMENTS.values()
        for t in re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)
    }
    assert {"demo", "test"} <= told
    assert told <= set(TARGETS)


@pytest.mark.parametrize("table", metadata.tables)
def test_the_architecture_explains_every_table(table: str) -> None:
    assert f"`{table}`" in DOCUMENTS["docs/architecture.md"]


@pytest.mark.parametrize("reason", DeadLetterReason)
def test_operators_find_every_reason_of_dead_letters(reason: DeadLetterReason) -> None:
    assert f"`{reason}`" in DOCUMENTS["docs/operations.md"]


@pytest.mark.parametrize("contract", READ_CONTRACTS, ids=lambda contract: contract.topic)
def test_operators_permit_every_topic_that_is_read(contract: Contract[BaseModel]) -> None:
    [topics] = re.findall(r'^TOPICS="([^"]+)"$', DOCUMENTS["docs/operations.md"], re.MULTILINE)
    assert contract.topic in topics.split()


def test_messages_that_name_a_section_name_one_that_is_there() -> None:
    """The code says `See 'A partition that stopped' in docs/operations.md`."""
    code = " ".join(" ".join(files_like(".py").values()).replace('"', " ").split())
    named = set(re.findall(r"See '([^']+)' in f?\s*docs/operations\.md", code))
    titles = re.findall(r"^#+ (.+)$", project_files()["docs/operations.md"], re.MULTILINE)
    assert named
    assert named <= set(titles)
