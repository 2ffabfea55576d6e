"""Slack: Events API, buttons, a slash command."""

from channels.slack.channel import SlackChannel

__all__ = ["SlackChannel"]
