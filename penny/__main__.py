"""`python -m penny` is the `penny` command."""

from penny.cli import main

main()
