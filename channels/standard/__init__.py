"""Standard Webhooks, in both directions: any other program as a messaging app."""

from channels.standard.channel import StandardChannel

__all__ = ["StandardChannel"]
