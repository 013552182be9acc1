"""The two tables that the platform reads are as its own documents (the seeds) describe them."""

from uuid import uuid4

import pytest
from asyncpg import Connection

from tests.integration.migrations.catalog import read_facts

YES, NO = True, False  # nullable or not
COLUMNS: dict[str, list[tuple[str, str, bool, str | None]]] = {
    "analytics_cache": [
        ("cache_id", "uuid", NO, "gen_random_uuid()"),
        ("provider_id", "uuid", NO, None),
        ("metric_key", "character varying(50)", NO, None),
        ("period_start", "date", NO, None),
        ("period_end", "date", NO, None),
        ("dimensions", "jsonb", YES, None),
        ("value", "jsonb", NO, None),
        ("computed_at", "timestamp with time zone", NO, None),
    ],
    "generated_reports": [
        ("report_id", "uuid", NO, "gen_random_uuid()"),
        ("provider_id", "uuid", NO, None),
        ("report_type", "character varying(50)", NO, None),
        ("format", "character varying(10)", NO, None),
        ("period_start", "date", YES, None),
        ("period_end", "date", YES, None),
        ("file_path", "character varying(255)", NO, None),
        ("file_size_bytes", "bigint", NO, None),
        ("download_link_expires_at", "timestamp with time zone", NO, None),
        ("downloaded", "boolean", NO, "false"),
        ("scheduled", "boolean", NO, "false"),
        ("status", "character varying(20)", NO, "'pending'::character varying"),
        ("error_message", "text", YES, None),
        ("created_at", "timestamp with time zone", NO, "now()"),
    ],
}
KEY = "provider_id, metric_key, period_start, period_end, dimensions"
INDEXES = {
    "analytics_cache": {
        "UNIQUE btree (cache_id)",
        f"UNIQUE btree ({KEY}) NULLS NOT DISTINCT",
        "btree (provider_id, metric_key)",
        "brin (computed_at)",  # which kind is this service's choice; see docs/architecture.md
    },
    "generated_reports": {
        "UNIQUE btree (report_id)",
        "btree (provider_id, report_type)",
        "btree (provider_id, created_at DESC)",
        "btree (download_link_expires_at)",
        "btree (status)",
    },
}
CONSTRAINTS = {
    "analytics_cache": {
        "PRIMARY KEY (cache_id)",
        "FOREIGN KEY (provider_id) REFERENCES providers(provider_id)",
        f"UNIQUE NULLS NOT DISTINCT ({KEY})",
    },
    "generated_reports": {
        "PRIMARY KEY (report_id)",
        "FOREIGN KEY (provider_id) REFERENCES providers(provider_id)",
    },
}

tables = pytest.mark.parametrize("table", ["analytics_cache", "generated_reports"])


@tables
async def test_columns_have_the_documents_names_types_and_defaults_in_its_order(
    schema: Connection, table: str
) -> None:
    found = await read_facts(
        schema,
        f"""SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull,
                pg_get_expr(adbin, adrelid)
            FROM pg_attribute
            LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
            WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum""",
    )
    assert found == COLUMNS[table]


@tables
async def test_there_are_the_documents_indexes_and_no_others(
    schema: Connection, table: str
) -> None:
    definitions = await schema.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = $1", table)
    found = {_without_names(row["indexdef"]) for row in definitions}
    assert found == INDEXES[table]


@tables
async def test_there_are_the_documents_constraints_and_no_others(
    schema: Connection, table: str
) -> None:
    """From version 18 on NOT NULL is a constraint too; the columns say it already."""
    found = await read_facts(
        schema,
        f"""SELECT pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = '{table}'::regclass AND contype <> 'n'""",
    )
    assert {definition for (definition,) in found} == CONSTRAINTS[table]


async def test_a_row_of_the_cache_can_be_updated_in_place(schema: Connection) -> None:
    """Pages are left with room, and no B-tree has a column that every upsert changes."""
    options = "SELECT reloptions FROM pg_class WHERE relname = 'analytics_cache'"
    assert await schema.fetchval(options) == ["fillfactor=70"]
    provider_id = uuid4()
    transaction = schema.transaction()
    await transaction.start()
    await schema.execute("INSERT INTO providers VALUES ($1)", provider_id)
    await schema.execute(
        """INSERT INTO analytics_cache
               (provider_id, metric_key, period_start, period_end, value, computed_at)
           VALUES ($1, 'claims_paid', '2024-10-01', '2024-10-31', '{}', now())""",
        provider_id,
    )
    update = "UPDATE analytics_cache SET value = '[]', computed_at = now() WHERE provider_id = $1"
    await schema.execute(update, provider_id)
    in_place = "SELECT pg_stat_get_xact_tuples_hot_updated('analytics_cache'::regclass)"
    assert await schema.fetchval(in_place) == 1
    await transaction.rollback()


def _without_names(index: str) -> str:
    kind, _, definition = index.partition(" USING ")
    return f"UNIQUE {definition}" if kind.startswith("CREATE UNIQUE") else definition
