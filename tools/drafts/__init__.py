"""What a change would do, worked out from the rows as they are now; nothing here writes."""
