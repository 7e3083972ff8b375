"""What everything else in `flows/` stands on: the log of operations."""
