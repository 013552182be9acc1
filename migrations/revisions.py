"""Which revisions of the schema this version of the service knows.

They are read off the names of the files: loading Alembic takes longer than most commands do.
"""

from importlib.resources import files

from repositories.errors import CodeOutdated, SchemaMissing


def revisions() -> list[str]:
    """All of them, in their order; `versions/v0007_operations.py` is 0007."""
    names = [file.name for file in files("migrations.versions").iterdir()]
    return sorted(name[1:5] for name in names if name.startswith("v") and name.endswith(".py"))


def head() -> str:
    """The revision that this version of the service expects."""
    return revisions()[-1]


def require_known(found: str | None) -> None:
    """Raise CodeOutdated if a newer version of the service made this revision."""
    if found is not None and found not in revisions():
        raise CodeOutdated(
            f"the schema is at revision {found}, which this version does not know: it expects"
            f" {head()}, and a newer version has migrated the database. Start that version again,"
            " or restore the backup from before it"
        )


def require_head(found: str | None) -> None:
    """Raise SchemaMissing, or CodeOutdated, if the database's revision is not the expected one."""
    require_known(found)
    if found != head():
        there = "there is no schema yet" if found is None else f"the schema is at revision {found}"
        raise SchemaMissing(
            f"{there}, and this version expects {head()}; run `claim-analytics migrate`"
        )
