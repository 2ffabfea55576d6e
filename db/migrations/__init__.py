"""The schema's history, run by db/migrate.py; `alembic revision` uses script.py.mako for a new step."""
