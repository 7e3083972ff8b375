"""The base of everything in `flows/`: the log of operations, safe error messages, parallel work, wording of values."""
