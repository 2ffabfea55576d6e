"""Bank files into the ledger: one module per format, deduplication, and an import that is whole or not at all."""
