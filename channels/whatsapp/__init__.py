"""WhatsApp, by Meta's Cloud API."""

from channels.whatsapp.channel import WhatsAppChannel

__all__ = ["WhatsAppChannel"]
