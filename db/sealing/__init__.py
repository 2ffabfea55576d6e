"""Sealing: what users wrote, encrypted in the columns that `places` lists, under a key of each user's own."""
