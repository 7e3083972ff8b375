"""Storage: paths, the lock, raw files, validation results, the ledger, the warehouse. Steps do not choose paths."""
