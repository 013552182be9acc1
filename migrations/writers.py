"""Nobody writes while the schema changes, and nobody waits for long for a change that must wait."""

from sqlalchemy import Connection

from repositories.claims.batch import HORIZON_LOCK

# While a change waits for a lock, whoever comes after it waits too: so it waits no longer, and
# lets them by before it tries again.
LOCK_SECONDS = 4.0
PAUSE_SECONDS, PATIENCE_SECONDS = 3.0, 600.0  # between attempts, and for all of them
# Of versions that share no `schema_demand`: what batches write that migrations since then change,
# in the order of locks that all versions keep.
WRITTEN_BEFORE = ("providers", "claim_events", "claims", "top_codes_due")


def keep_writers_away(connection: Connection) -> None:
    """Until the transaction ends. Those that are writing are waited for, those to come wait; who
    reads goes on until a table is changed that he reads. So none of our own locks can cross theirs.

    Raises the driver's error (55P03) after some seconds; the transaction's later locks wait no
    longer either.
    """
    milliseconds = round(LOCK_SECONDS * 1000)
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
    if _exists(connection, "schema_demand"):
        # A row lock would wait for ever while others share the row by turns; a table's has a queue.
        connection.exec_driver_sql("LOCK TABLE schema_demand IN EXCLUSIVE MODE")
        return
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({HORIZON_LOCK})")
    written = [table for table in WRITTEN_BEFORE if _exists(connection, table)]
    if written:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(written)} IN EXCLUSIVE MODE")


def _exists(connection: Connection, table: str) -> bool:
    found = connection.exec_driver_sql(f"SELECT to_regclass('{table}') IS NOT NULL")
    return bool(found.scalar())
