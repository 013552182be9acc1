"""Where a batch of the coach's events stands on its way in; `repositories.tables` says how."""

import sqlalchemy as sa

from repositories.tables import named_for_its_definition, source_columns, suggestion_columns


def _staged_suggestions(name: str = "staged_suggestions") -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("seq", sa.Integer, nullable=False),
        *suggestion_columns(),
        *source_columns(),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DELETE ROWS",
    )


staged_suggestions = named_for_its_definition(_staged_suggestions)
