"""The money of one household: accounts, categories, budgets, transactions, what they add up to and what changed."""
