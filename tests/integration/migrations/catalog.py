"""What PostgreSQL itself says of a schema: more than Alembic's comparison looks at."""

from typing import NamedTuple

import asyncpg

Facts = list[tuple[object, ...]]

TABLES = """
    SELECT relname, relkind, relpersistence, reloptions
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 't')
    ORDER BY relname
"""
COLUMNS = """
    SELECT relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
        pg_get_expr(adbin, adrelid), attidentity, attgenerated, attcollation::regcollation
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
        AND NOT attisdropped
    ORDER BY relname, attnum
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY 1, 2
"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2
"""
# A table whose rights were never touched has none written down, and its owner's all the same.
PROTECTION = """
    SELECT relname, relrowsecurity, relforcerowsecurity,
        coalesce(relacl, acldefault('r', relowner))::text, polname, polcmd,
        polroles::regrole[]::text, pg_get_expr(polqual, polrelid),
        pg_get_expr(polwithcheck, polrelid)
    FROM pg_class LEFT JOIN pg_policy ON polrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    ORDER BY relname, polname
"""
COLUMN_RIGHTS = """
    SELECT relname, attname, attacl::text
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attacl IS NOT NULL
    ORDER BY relname, attname
"""
FUNCTIONS = """
    SELECT nspname, nspacl::text, proname, proacl::text, pg_get_functiondef(pg_proc.oid)
    FROM pg_namespace LEFT JOIN pg_proc ON pronamespace = pg_namespace.oid
    WHERE nspname = 'claim_analytics'
    ORDER BY proname
"""


class Catalog(NamedTuple):
    """Equal catalogs mean equal tables, whoever made them."""

    tables: Facts
    columns: Facts
    constraints: Facts
    indexes: Facts


async def read_catalog(connection: asyncpg.Connection, *, without: str = "") -> Catalog:
    """All tables of the schema `public`, but for the one named in `without`."""
    found = [
        [fact for fact in await read_facts(connection, statement) if fact[0] != without]
        for statement in (TABLES, COLUMNS, CONSTRAINTS, INDEXES)
    ]
    return Catalog(*found)


async def read_facts(connection: asyncpg.Connection, statement: str) -> Facts:
    return [tuple(row) for row in await connection.fetch(statement)]
