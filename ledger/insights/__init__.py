"""What can be told from a ledger by computing: charges that come back, forecasts, what is unusual, what may be spent.

Everything but `history` is pure functions over its entries; docs/insights.md explains each to a careful user.
"""
