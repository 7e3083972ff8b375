"""Where things lie: validation results, the ledger, the lock, the warehouse's builds. No step decides on a path."""
