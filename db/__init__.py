"""The database: who may see what, the one way in (`transaction(user)`), the schema, and a PostgreSQL to run it on."""
