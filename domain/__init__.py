"""Values without I/O: money, periods, identifiers, the clock and the error family."""
