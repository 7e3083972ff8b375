"""What everything else in `flows/` stands on: the log of operations, safe messages of errors, work side by side."""
