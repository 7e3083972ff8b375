"""Where things lie: judgements, the ledger, the lock, the warehouse's builds. No step decides on a path."""
