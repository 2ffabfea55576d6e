"""The messaging apps there are: an explicit list, in the order in which they are offered."""

from __future__ import annotations

from ledger.preferences import APPS

CHANNELS = APPS
"""Their names, in addresses (/webhooks/<name>), settings and links."""
