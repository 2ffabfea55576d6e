"""Messaging apps: one folder each, with the same files (verify, parse, render, send), around one core."""
