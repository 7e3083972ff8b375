"""Storage: paths, the lock, raw files, validation results, the ledger, the warehouse. No other room makes a path."""
