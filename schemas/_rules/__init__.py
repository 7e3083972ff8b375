"""Rules that hold for any dataset, and their texts. Statements only: `flows` detects and applies."""
