"""What the statements of batches share: how they are planned, and compiled once."""

from sqlalchemy import TextClause, func, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import ClauseElement

# To be selected in a transaction, and gone with it: rows are then looked up by index, whatever the
# tables' size. Without this the planner reads tables of up to some hundred thousand rows whole,
# for each batch. Such plans are as good for the next batch, so they may be kept: PostgreSQL checks
# a foreign key row by row, and would plan each check anew, for three times what it takes.
BY_INDEX = (
    func.set_config("enable_hashjoin", "off", True),
    func.set_config("enable_mergejoin", "off", True),
    func.set_config("plan_cache_mode", "auto", True),
)

# The same for whoever compares whole tables. The planner takes what a metric's key picks out of
# many sums for a row or two, and would search all of them once for each month.
BY_HASH = (func.set_config("enable_nestloop", "off", True),)


def spelled_out(statement: ClauseElement) -> str:
    """`statement` as PostgreSQL text; its bound values, which must be constants, are in it."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # a class without annotations
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def compiled(statement: ClauseElement) -> TextClause:
    """`statement` as PostgreSQL text, once: SQLAlchemy would spend milliseconds on each use.

    Its bound values must be constants: they are spelled out.
    """
    return text(spelled_out(statement).replace(":", r"\:"))
