"""What one cell says: how its text is read, what it may give away, and how a column of texts is held."""
