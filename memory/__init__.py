"""What outlives a reply: sessions, messages, runs and the log of their events."""
