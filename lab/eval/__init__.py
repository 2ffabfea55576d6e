"""Runs cases through the real agent and judges what came of them."""
