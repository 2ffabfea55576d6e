"""What a run of cases comes to, for people: a table in the terminal, and one self-contained page."""
