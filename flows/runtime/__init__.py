"""What everything else in `flows/` stands on: the log of operations, safe errors, and how work is run and told apart."""
