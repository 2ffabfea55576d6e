"""The wires of a run: each module encodes its events for one kind of client."""
