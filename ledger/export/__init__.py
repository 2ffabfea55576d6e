"""Everything of a user as a file: JSON, CSV or beancount, made piece by piece."""
