"""The database's schema, step by step (Alembic), and the functions that apply it."""
