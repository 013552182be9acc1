"""Compiling a large statement once, to text: SQLAlchemy would spend milliseconds on each use."""

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import ClauseElement


def compiled(statement: ClauseElement) -> TextClause:
    """`statement` as PostgreSQL text. Its bound values must be constants: they are spelled out."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # a class without annotations
    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return text(sql.replace(":", r"\:"))
