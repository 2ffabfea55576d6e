"""Penny over HTTP: routes, authentication, the wires of a run, and the demo page."""
