"""Figures that depend on today, ready-made for readers: functions in a schema of their own."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

READER = "claim_analytics_reader"
SCHEMA = "claim_analytics"
FILLED = 2  # the `metrics_revision` from which a provider has day rows
TODAY = "(now() AT TIME ZONE 'America/Edmonton')::date"
# Brackets by name: the first and the last day that fall into each.
FUNCTIONS = {
    "aging": (
        "aging_brackets",
        {
            "0-30": ("as_of - 30", "date 'infinity'"),  # a day after today counts here
            "31-60": ("as_of - 60", "as_of - 31"),
            "61-90": ("as_of - 90", "as_of - 61"),
            "over 90": ("date '-infinity'", "as_of - 91"),
        },
    ),
    "approaching_deadline": ("approaching_deadline", {"0-7": ("as_of", "as_of + 7")}),
    "stale_claims": ("stale_claims", {"over 14": ("date '-infinity'", "as_of - 15")}),
}


def upgrade() -> None:
    """The functions read from `providers` whose day rows are filled, with the caller's rights. So
    the reader gets to see that much of it, of the one provider whose figures it sees."""
    op.execute("ALTER TABLE providers ENABLE ROW LEVEL SECURITY")
    op.execute(f"""
        CREATE POLICY providers_of_one_provider ON providers FOR SELECT TO {READER}
        USING (provider_id = NULLIF(current_setting('app.provider_id', true), '')::uuid)
    """)
    op.execute(f"GRANT SELECT (provider_id, metrics_revision) ON providers TO {READER}")
    # Looked for first: where it exists, an owner who may not create schemas can go on.
    op.execute(f"""
        DO $$ BEGIN
            IF to_regnamespace('{SCHEMA}') IS NULL THEN
                CREATE SCHEMA {SCHEMA};
            END IF;
        END $$
    """)
    op.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {READER}")
    for name, (metric_key, brackets) in FUNCTIONS.items():
        op.execute(_function(name, metric_key, brackets))
        op.execute(f"REVOKE ALL ON FUNCTION {SCHEMA}.{name}(date) FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {SCHEMA}.{name}(date) TO {READER}")


def downgrade() -> None:
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {SCHEMA}.{name}(date)")
    op.execute(f"REVOKE USAGE ON SCHEMA {SCHEMA} FROM {READER}")
    # It stays where an owner could not make it again, or it is somebody else's, or not empty.
    op.execute(f"""
        DO $$ BEGIN
            IF has_database_privilege(current_database(), 'CREATE') THEN
                DROP SCHEMA {SCHEMA};
            END IF;
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL;
        END $$
    """)
    op.execute(
        f"REVOKE SELECT (provider_id, metrics_revision) ON providers FROM {READER}"  # noqa: S608  # a constant
    )
    op.execute("DROP POLICY providers_of_one_provider ON providers")
    op.execute("ALTER TABLE providers DISABLE ROW LEVEL SECURITY")


def _function(name: str, metric_key: str, brackets: dict[str, tuple[str, str]]) -> str:
    """Its day rows added up by bracket, for every provider that the caller may see.

    BEGIN ATOMIC binds the tables when the function is made, in whatever schema the migrations have
    put them; no search_path takes part later, and it follows a table that is renamed or moved.
    Compared and not subtracted, days may be infinite.
    """
    rows = ", ".join(f"('{b}', {first}, {last})" for b, (first, last) in brackets.items())
    return f"""
        CREATE FUNCTION {SCHEMA}.{name}(as_of date DEFAULT {TODAY})
        RETURNS TABLE
            (provider_id uuid, claim_type text, bracket text, count bigint, amount numeric)
        LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY INVOKER
        SET search_path = pg_catalog, pg_temp
        BEGIN ATOMIC
            SELECT
                provider.provider_id,
                payer.claim_type,
                bracket.name,
                coalesce(sum((day.value ->> 'count')::bigint), 0)::bigint,
                coalesce(sum((day.value ->> 'amount')::numeric), 0.00)
            FROM providers AS provider
            CROSS JOIN (VALUES (NULL::text), ('AHCIP'), ('WCB')) AS payer (claim_type)
            CROSS JOIN (VALUES {rows}) AS bracket (name, first_day, last_day)
            LEFT JOIN analytics_cache AS day
                ON day.provider_id = provider.provider_id
                AND day.metric_key = '{metric_key}'
                AND day.period_start BETWEEN bracket.first_day AND bracket.last_day
                AND day.dimensions ->> 'claim_type' IS NOT DISTINCT FROM payer.claim_type
            WHERE provider.metrics_revision >= {FILLED}
            GROUP BY 1, 2, 3
            ORDER BY 1, 2 NULLS FIRST, 3;
        END
    """  # noqa: S608  # constants of this file
