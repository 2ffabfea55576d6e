"""The names that code and database must agree on."""

SCHEMA = "penny"
"""The one schema; every session's search_path is this."""

HEAD = "0021"
"""The newest migration, which this code needs. A constant, so that starting does not load Alembic; a test compares
them."""

OWNER = "penny_owner"
"""Owns the schema and never logs in."""

APP = "penny_app"
"""Reads and writes the rows of the user that its transaction names."""

WORKER = "penny_worker"
"""Moves runs through the queue and appends their events; sees no messages, proposals or money."""
