"""Text messages, by Twilio."""

from channels.twilio.channel import TwilioChannel

__all__ = ["TwilioChannel"]
